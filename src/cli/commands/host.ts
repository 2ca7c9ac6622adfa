// `k3v host`: a Kubernetes host that needs nothing but Node, for trying and testing.
// What it is made of is plane/host.ts; this file reads flags and prints one line.

import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class Host extends BaseCommand {
  static override summary =
    'Start the embedded host: a Kubernetes API whose pods are processes of this machine.'
  static override description =
    'Containers of Node images run as processes without isolation; all others are simulated, and say so. Its state is ' +
    'kept in ./k3v-host. It runs until it is interrupted, and stops every process that it started.'

  static override examples = [
    '<%= config.bin %> host',
    '<%= config.bin %> host --listen-port 0 --data-dir /tmp/host --write-kubeconfig /tmp/host.yaml',
  ]

  static override flags = {
    'data-dir': Flags.string({
      description: 'folder for the state',
      default: './k3v-host',
      helpValue: 'DIR',
    }),
    'listen-port': Flags.integer({
      description: 'port of the API on 127.0.0.1; 0 takes any free one',
      default: 6443,
      min: 0,
      max: 65_535,
    }),
    'write-kubeconfig': Flags.string({
      description: 'where to write a kubeconfig for kubectl',
      default: './k3v-host.yaml',
      helpValue: 'FILE',
    }),
    debug: Flags.boolean({ description: 'log what happens' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Host)
    const { runEmbeddedHost } = await import('../../plane/host.ts')
    const host = await runEmbeddedHost({
      dataDirectory: flags['data-dir'],
      port: flags['listen-port'],
      kubeconfigFile: flags['write-kubeconfig'],
      isVerbose: flags.debug,
    }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error
      return this.fail(`port ${flags['listen-port']} of 127.0.0.1 is in use`, {
        suggestions: ['--listen-port 0 takes any free one'],
      })
    })
    process.stderr.write(`${host.readyLine}\n`)
    await host.ended
    return { ok: true }
  }
}
