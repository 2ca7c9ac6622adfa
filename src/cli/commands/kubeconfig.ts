// `k3v kubeconfig`: how kubectl reaches the virtual cluster of a release.
// Where its credentials are kept stands in deploy/reach.ts.

import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { HostCommand, hostFlags } from '../host-command.ts'

export default class Kubeconfig extends HostCommand {
  static override summary = 'Print or write a kubeconfig for the virtual cluster of a release.'
  static override description =
    'The certificate in it makes its owner an administrator of the virtual cluster for a month. On the embedded host ' +
    'it names a port of this machine. Elsewhere it names the Service, which only pods reach: forward a port with ' +
    '`kubectl port-forward service/k3v-NAME 7443:443` and give --server https://127.0.0.1:7443.'

  static override examples = [
    '<%= config.bin %> kubeconfig guestbook -n team-a > guestbook.yaml',
    '<%= config.bin %> kubeconfig guestbook -n team-a -o guestbook.yaml --server https://127.0.0.1:7443',
  ]

  static override args = {
    name: Args.string({ description: 'name of the release', required: true }),
  }

  static override flags = {
    ...hostFlags,
    server: Flags.string({ description: 'address of the API as you reach it', helpValue: 'URL' }),
    output: Flags.string({ char: 'o', description: 'file to write, for its owner alone', helpValue: 'FILE' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Kubeconfig)
    const { client: host, namespace } = await this.connectHost(flags)
    const [{ reachRelease }, { kubeconfigText, writeKubeconfig }] = await Promise.all([
      import('../../deploy/reach.ts'),
      import('../../client/kubeconfig-file.ts'),
    ])
    try {
      const content = await reachRelease({ host, namespace, release: args.name, server: flags.server })
      if (flags.output === undefined) {
        const text = kubeconfigText(content)
        this.log(text.trimEnd())
        return { release: args.name, server: content.server, kubeconfig: text }
      }
      const path = resolve(flags.output)
      await writeKubeconfig({ path, content })
      this.log(path)
      return { release: args.name, server: content.server, path }
    } finally {
      await host[Symbol.asyncDispose]()
    }
  }
}
