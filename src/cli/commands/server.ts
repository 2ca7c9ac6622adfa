// `k3v server`, and plain `k3v --kubeconfig host.yaml` as in 2019: a virtual cluster in this terminal.
// What a plane is made of is plane/'s; this file reads flags and prints one line.

import { flushCompileCache } from 'node:module'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'

export default class Server extends BaseCommand {
  static override summary = 'Start a local virtual cluster; its pods run on the host cluster.'
  static override description =
    'State is kept in ./k3v-data, and ./kubeconfig.yaml is written for kubectl. With --no-sync there is no host: the API ' +
    'is whole, and pods stay Pending.'

  static override examples = [
    '<%= config.bin %> --kubeconfig host.yaml',
    '<%= config.bin %> server --kubeconfig host.yaml --namespace team-a',
    '<%= config.bin %> server --no-sync --data-dir /tmp/plane --write-kubeconfig /tmp/plane.yaml --listen-port 0',
  ]

  static override flags = {
    kubeconfig: Flags.string({
      description: 'kubeconfig of the host cluster',
      env: 'KUBECONFIG',
      helpValue: 'FILE',
    }),
    context: Flags.string({ description: 'context in the kubeconfig; its current one unless given' }),
    namespace: Flags.string({
      char: 'n',
      description: 'namespace of the host that everything is synced to; the context’s unless given',
      env: 'NAMESPACE',
    }),
    id: Flags.string({
      description: 'name of this virtual cluster on the host',
      env: 'K3V_ID',
      default: 'k3v',
    }),
    'listen-port': Flags.integer({
      description: 'port of the API on 127.0.0.1; 0 takes any free one',
      env: 'K3V_LISTEN_PORT',
      default: 7443,
      min: 0,
      max: 65_535,
    }),
    'advertise-address': Flags.string({
      description: 'address of this machine that pods on the host can reach',
    }),
    'data-dir': Flags.string({
      description: 'folder for the state',
      default: './k3v-data',
      helpValue: 'DIR',
    }),
    'write-kubeconfig': Flags.string({
      description: 'where to write a kubeconfig for kubectl',
      default: './kubeconfig.yaml',
      helpValue: 'FILE',
    }),
    sync: Flags.boolean({ description: 'sync pods to the host', default: true, allowNo: true }),
    debug: Flags.boolean({ description: 'log what happens' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Server)
    if (flags.sync && flags.kubeconfig === undefined) {
      this.fail('no host cluster: give --kubeconfig FILE (or set KUBECONFIG)', {
        exit: 2,
        suggestions: ['k3v server --no-sync starts a virtual cluster without a host'],
      })
    }
    const { startLocal } = await import('../../plane/local.ts')
    const local = await startLocal({
      kubeconfig: flags.sync ? flags.kubeconfig : undefined,
      context: flags.context,
      namespace: flags.namespace,
      id: flags.id,
      port: flags['listen-port'],
      advertiseAddress: flags['advertise-address'],
      dataDirectory: flags['data-dir'],
      kubeconfigFile: flags['write-kubeconfig'],
      isVerbose: flags.debug,
    })
    process.stderr.write(`${local.readyLine}\n`)
    // Now, not at the end: a process that is killed leaves the next one nothing.
    flushCompileCache()
    await local.ended
    return { ok: true }
  }
}
