// `k3v connect`: keeps a way open to the virtual cluster of a release, and writes a kubeconfig for it.
// The way itself is kubectl's port-forward, or the embedded host's own port.

import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { HostCommand, hostFlags } from '../host-command.ts'

export default class Connect extends HostCommand {
  static override summary = 'Open a tunnel to the virtual cluster of a release until you press Ctrl-C.'

  static override examples = ['<%= config.bin %> connect guestbook -n team-a -o guestbook.yaml']

  static override args = {
    name: Args.string({ description: 'name of the release', required: true }),
  }

  static override flags = {
    ...hostFlags,
    output: Flags.string({
      char: 'o',
      description: 'kubeconfig to write; NAME.yaml here unless given',
      helpValue: 'FILE',
    }),
    port: Flags.integer({
      description: 'port of this machine; 0 takes any free one',
      default: 0,
      min: 0,
      max: 65_535,
    }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Connect)
    const { client: host, namespace } = await this.connectHost(flags)
    const [{ reachRelease }, { writeKubeconfig }, { openTunnel }] = await Promise.all([
      import('../../deploy/reach.ts'),
      import('../../client/kubeconfig-file.ts'),
      import('../tunnel.ts'),
    ])
    const content = await reachRelease({ host, namespace, release: args.name })
    await host[Symbol.asyncDispose]()
    const tunnel = await openTunnel({ ...flags, namespace, release: args.name })
    const path = resolve(flags.output ?? `${args.name}.yaml`)
    await writeKubeconfig({ path, content: { ...content, server: tunnel.server } })
    this.logToStderr(`connected at ${tunnel.server}; export KUBECONFIG=${path}`)
    const interrupted = Promise.withResolvers<string>()
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.resolve(name))
    const reason = await Promise.race([interrupted.promise, tunnel.ended.then(() => 'ended')])
    await tunnel[Symbol.asyncDispose]()
    if (reason === 'ended') this.fail('the tunnel ended: the pod restarts, or the host cannot be reached')
    return { release: args.name, server: tunnel.server, path }
  }
}
