// `k3v create`: an empty virtual cluster in one namespace of the host.
// It is a release without a package; what deploying is stands in deploy/deploy.ts.

import { Args, Flags } from '@oclif/core'
import { exitCodes } from '../base.ts'
import { HostCommand, hostFlags, timeoutFlag } from '../host-command.ts'

export default class Create extends HostCommand {
  static override summary = 'Create an empty virtual cluster: one pod in one namespace of the host.'

  static override examples = [
    '<%= config.bin %> create sandbox -n team-a',
    '<%= config.bin %> kubectl sandbox -n team-a -- get namespaces',
  ]

  static override args = {
    name: Args.string({ description: 'name of the virtual cluster', required: true }),
  }

  static override flags = {
    ...hostFlags,
    image: Flags.string({ description: 'image with Node 24 or newer for the control plane' }),
    memory: Flags.string({ description: 'memory that its pod asks for', default: '256Mi' }),
    storage: Flags.string({ description: 'size of its claim', default: '1Gi' }),
    'share-namespace': Flags.boolean({
      description: 'create beside other releases, which then must be trusted',
    }),
    timeout: timeoutFlag,
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Create)
    const timeoutMs = this.milliseconds(flags.timeout)
    const { client: host, namespace } = await this.connectHost(flags)
    const [{ bringUp }, { readProgram }] = await Promise.all([
      import('../bring-up.ts'),
      import('../program-files.ts'),
    ])
    try {
      const release = args.name
      const result = await bringUp({
        host,
        namespace,
        release,
        program: await readProgram(),
        image: flags.image,
        memory: flags.memory,
        storage: flags.storage,
        sharesNamespace: flags['share-namespace'],
        timeoutMs,
        onProgress: (message) => this.progress(message),
      })
      if (!result.isReady)
        this.fail(`${release} is not ready: ${result.message}`, { exit: exitCodes.notReady })
      this.log(`virtual cluster ${release} in namespace ${namespace}: ${result.message}`)
      return { release, namespace, ...result }
    } finally {
      await host[Symbol.asyncDispose]()
    }
  }
}
