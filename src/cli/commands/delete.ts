// `k3v delete`: a release goes, and with it everything that it put on the host.
// What that is stands in deploy/remove.ts.

import { Args, Flags } from '@oclif/core'
import { exitCodes } from '../base.ts'
import { HostCommand, hostFlags, timeoutFlag } from '../host-command.ts'

export default class Delete extends HostCommand {
  static override summary = 'Delete a release and everything that it put on the host.'
  static override description =
    'Waits until nothing of it is left. With --keep-data the claim with the state of its API stays, and a release ' +
    'of the same name in the same namespace finds it again.'

  static override examples = [
    '<%= config.bin %> delete guestbook -n team-a',
    '<%= config.bin %> delete guestbook -n team-a --keep-data',
  ]

  static override args = {
    name: Args.string({ description: 'name of the release', required: true }),
  }

  static override flags = {
    ...hostFlags,
    'keep-data': Flags.boolean({ description: 'keep the claim with the state' }),
    timeout: timeoutFlag,
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Delete)
    const timeoutMs = this.milliseconds(flags.timeout)
    const { client: host, namespace } = await this.connectHost(flags)
    const { removeRelease } = await import('../../deploy/remove.ts')
    try {
      const { isGone, left, keptClaim } = await removeRelease({
        host,
        namespace,
        release: args.name,
        keepsData: flags['keep-data'],
        timeoutMs,
        onProgress: (message) => this.progress(message),
      })
      if (!isGone)
        this.fail(`release ${args.name} is being deleted; still there: ${left.join(', ')}`, {
          exit: exitCodes.notReady,
        })
      const kept = keptClaim === undefined ? '' : `; claim ${keptClaim} was kept`
      this.log(`release ${args.name} is gone from namespace ${namespace}${kept}`)
      return { release: args.name, namespace, keptClaim }
    } finally {
      await host[Symbol.asyncDispose]()
    }
  }
}
