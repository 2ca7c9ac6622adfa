// `k3v watch`: a branch of a git repository becomes a release, commit by commit, with the user's own rights.
// The loop stands in gitops/follow.ts; this file reads flags, wires in packing and deploying, and prints.

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { FollowEvent } from '../../gitops/follow.ts'
import { SourceError } from '../../gitops/source.ts'
import { exitCodes } from '../base.ts'
import { HostCommand, hostFlags, timeoutFlag } from '../host-command.ts'

export default class Watch extends HostCommand {
  static override summary = 'Follow a git branch: every commit is packed, proved and deployed.'
  static override description =
    'The folder at --path holds k3v.yaml. A commit that does not pack or does not become ready is not tried again, and ' +
    'what was deployed before stays. A source that is empty or cannot be read removes nothing. The token for a private ' +
    'repository is read from K3V_GIT_TOKEN. With --json every event is one line on standard output.'

  static override examples = [
    '<%= config.bin %> watch https://git.example.com/team/app.git -n team-a',
    '<%= config.bin %> watch https://git.example.com/team/app.git --ref release --path deploy/app --once',
  ]

  static override args = {
    url: Args.string({ description: 'https URL of the repository', required: true }),
  }

  static override flags = {
    ...hostFlags,
    ref: Flags.string({ description: 'the branch', default: 'main' }),
    path: Flags.string({ description: 'folder of the package in the repository', default: '.' }),
    name: Flags.string({ description: 'name of the release; the package’s unless given' }),
    image: Flags.string({ description: 'image with Node 24 or newer for the control plane' }),
    interval: Flags.string({ description: 'how often to look, as in 30s', default: '30s' }),
    timeout: timeoutFlag,
    once: Flags.boolean({ description: 'deploy the branch as it is now, and end' }),
    'descendants-only': Flags.boolean({
      description: 'refuse commits that do not descend from the last one deployed by this run',
    }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Watch)
    const [{ readSource }, { openRepository }, { Follower }, { startDeliveries }] = await Promise.all([
      import('../../gitops/source.ts'),
      import('../../gitops/repository.ts'),
      import('../../gitops/follow.ts'),
      import('../watch-delivery.ts'),
    ])
    const source = this.#usage(() =>
      readSource({
        url: args.url,
        ref: flags.ref,
        path: flags.path,
        token: process.env['K3V_GIT_TOKEN'] || undefined,
      }),
    )
    const intervalMs = Math.max(1_000, this.milliseconds(flags.interval))
    const timeoutMs = this.milliseconds(flags.timeout)
    const { client: host, namespace } = await this.connectHost(flags)
    await using _host = host
    await using repository = openRepository({ source, folder: await mkdtemp(join(tmpdir(), 'k3v-watch-')) })
    const stop = new AbortController()
    const onSignal = (): void => stop.abort(new Error('stopped by a signal'))
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
    try {
      const follower = new Follower({
        ...startDeliveries({ host, namespace, name: flags.name, image: flags.image, timeoutMs }),
        repository,
        intervalMs,
        descendantsOnly: flags['descendants-only'],
        onEvent: (event) => this.#print(event),
        signal: stop.signal,
      })
      if (!flags.once) await follower.follow()
      else this.#end(await follower.once())
    } finally {
      process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal)
    }
    return undefined
  }

  #usage<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof SourceError) this.fail(error.message, { exit: exitCodes.usage })
      throw error
    }
  }

  #end(outcome: string): void {
    if (outcome === 'bad') this.exit(exitCodes.failed)
    if (outcome === 'notReady') this.exit(exitCodes.notReady)
  }

  #print(event: FollowEvent): void {
    if (this.jsonEnabled()) this.logJson(event)
    else {
      const commit = event.commit === undefined ? '' : `${event.commit.slice(0, 12)} `
      process.stderr.write(`${commit}${event.event}: ${event.message}\n`)
    }
  }

  /** A line an event, so that a program can read them as they come. */
  override logJson(json: unknown): void {
    if (json !== undefined) process.stdout.write(`${JSON.stringify(json)}\n`)
  }
}
