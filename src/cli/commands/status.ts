// `k3v status`: how one release fares, and what keeps it from being ready.
// Where that is read stands in deploy/releases.ts.

import { Args } from '@oclif/core'
import { exitCodes } from '../base.ts'
import { HostCommand, hostFlags } from '../host-command.ts'

export default class Status extends HostCommand {
  static override summary = 'Tell how a release fares, and why it is not ready. Exit code 3: it is not.'
  static override examples = ['<%= config.bin %> status guestbook -n team-a']

  static override args = {
    name: Args.string({ description: 'name of the release', required: true }),
  }

  static override flags = hostFlags

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Status)
    const { client: host, namespace } = await this.connectHost(flags)
    const { releaseDetails } = await import('../../deploy/releases.ts')
    try {
      const details = await releaseDetails(host, { namespace, release: args.name })
      if (details === undefined)
        this.fail(`there is no release ${args.name} in namespace ${namespace}`, {
          suggestions: [`k3v list -n ${namespace}`],
        })
      const { name, package: packed, version, phase, message, status, pod } = details
      this.log(`${name}: ${phase}: ${message}`)
      if (packed !== '') this.log(`package ${packed} ${version}`)
      this.log(pod.isReady ? `pod ${pod.name} serves` : pod.message)
      if (status !== undefined && status.objects.total > 0)
        this.log(`${status.objects.ready} of ${status.objects.total} objects are ready`)
      for (const reason of status?.notReady ?? []) this.log(`  ${reason}`)
      if (phase !== 'Ready') process.exitCode = exitCodes.notReady
      return details
    } finally {
      await host[Symbol.asyncDispose]()
    }
  }
}
