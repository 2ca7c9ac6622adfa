// The loop of `k3v watch`: notice a commit, read it, pack it, deploy it, wait for it, and say each step.
// Git is repository.ts's; packing, deploying and waiting are handed in.

import { PackageError } from '../packages/failure.ts'
import type { PackageFiles } from '../packages/files.ts'
import { Backoff, backoffDelayMs } from '../platform/backoff.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import type { Repository } from './repository.ts'
import { SourceError } from './source.ts'

export type FollowStep =
  | 'noticed'
  | 'forced'
  | 'unchanged'
  | 'packed'
  | 'deployed'
  | 'ready'
  | 'bad'
  | 'restored'
  | 'superseded'
  | 'trouble'

export interface FollowEvent {
  readonly event: FollowStep
  readonly commit?: string
  readonly message: string
}

export interface Health {
  readonly isReady: boolean
  readonly message: string
}

/** `Package` is whatever `pack` makes and `deploy` takes. */
export interface FollowOptions<Package> {
  readonly repository: Repository
  readonly intervalMs: number
  readonly descendantsOnly?: boolean | undefined
  /** Throws PackageError when the files make no package that may be deployed. */
  readonly pack: (files: PackageFiles, signal: AbortSignal) => Promise<Package>
  /** Answers what to wait for. Not stopped half-way. */
  readonly deploy: (made: Package) => Promise<number>
  readonly wait: (generation: number, signal: AbortSignal) => Promise<Health>
  readonly onEvent: (event: FollowEvent) => void
  readonly signal: AbortSignal
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

export type Outcome = 'ready' | 'unchanged' | 'bad' | 'notReady' | 'superseded'

/** One look at the branch and, if its commit is new, everything up to its health. Throws when it may be tried again. */
export class Follower<Package> {
  readonly #options: FollowOptions<Package>
  readonly #clock: Clock
  readonly #random: Random
  /** The last commit that ended well or badly: it is not looked at again. */
  #settled: { readonly commit: string; readonly outcome: Outcome } | undefined
  /** The tree that was deployed last, good or not. */
  #deployed: string | undefined
  /** What was ready last. */
  #good: { readonly commit: string; readonly tree: string; readonly made: Package } | undefined

  constructor(options: FollowOptions<Package>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
  }

  /** Until the signal is aborted. */
  async follow(): Promise<void> {
    const { intervalMs, signal, onEvent } = this.#options
    const backoff = new Backoff({ baseMs: intervalMs, maxMs: 10 * intervalMs, random: this.#random })
    let said = ''
    while (!signal.aborted) {
      let delayMs = this.#jittered()
      try {
        const outcome = await this.once()
        if (outcome === 'superseded') delayMs = 0
        backoff.reset()
        said = ''
      } catch (error) {
        if (signal.aborted) return
        const { message } = error as Error
        if (message !== said) onEvent({ event: 'trouble', message })
        said = message
        delayMs = backoff.nextDelayMs()
      }
      await this.#clock.sleep(delayMs, { signal }).catch(() => undefined)
    }
  }

  async once(): Promise<Outcome> {
    const { repository, signal } = this.#options
    const seen = await repository.look(signal)
    if (seen === undefined) throw new SourceError('there is no such branch; what is deployed stays')
    if (seen === this.#settled?.commit) return this.#settled.outcome
    const commit = await repository.fetch(signal)
    if (commit === this.#settled?.commit) return this.#settled.outcome
    this.#say('noticed', commit, 'a new commit')
    const outcome = await this.#take(commit)
    if (outcome !== 'superseded') this.#settled = { commit, outcome }
    return outcome
  }

  async #take(commit: string): Promise<Outcome> {
    const { deploy, signal } = this.#options
    try {
      await this.#demandDescent(commit)
      const tree = await this.#read(() => this.#options.repository.folderOf(commit))
      if (tree === this.#good?.tree && tree === this.#deployed) {
        this.#good = { ...this.#good, commit }
        this.#say('unchanged', commit, 'the package is the same')
        return 'unchanged'
      }
      const files = await this.#read(() => this.#options.repository.filesOf(tree))
      const made = await this.#options.pack(files, signal)
      this.#say('packed', commit, 'packed and proved')
      this.#deployed = tree
      const generation = await deploy(made)
      this.#say('deployed', commit, 'deployed; waiting until it is ready')
      return await this.#settle({ commit, tree, made }, generation)
    } catch (error) {
      if (!(error instanceof PackageError || error instanceof SourceError)) throw error
      this.#say('bad', commit, `${error.message}\nwhat is deployed stays; waiting for another commit`)
      return 'bad'
    }
  }

  async #demandDescent(commit: string): Promise<void> {
    const { repository, descendantsOnly = false } = this.#options
    if (this.#good === undefined || (await repository.descends(commit, this.#good.commit))) return
    const what = `it does not descend from ${this.#good.commit.slice(0, 12)}`
    if (descendantsOnly) throw new SourceError(what)
    this.#say('forced', commit, `${what}: the branch was pushed with force`)
  }

  /** Objects that are missing or damaged are fetched anew; only what the commit itself says makes it bad. */
  async #read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof PackageError || error instanceof SourceError) throw error
      await this.#options.repository.forget()
      throw new Error(`the commit cannot be read: ${(error as Error).message}`, { cause: error })
    }
  }

  async #settle(
    next: { readonly commit: string; readonly tree: string; readonly made: Package },
    generation: number,
  ): Promise<Outcome> {
    const { wait, deploy, signal } = this.#options
    const { commit } = next
    const newer = new AbortController()
    const waiting = new AbortController()
    const watching = this.#untilNewer(commit, AbortSignal.any([signal, waiting.signal]), newer)
    try {
      const { isReady, message } = await wait(generation, AbortSignal.any([signal, newer.signal]))
      this.#say(isReady ? 'ready' : 'bad', commit, message)
      if (isReady) {
        this.#good = next
        return 'ready'
      }
    } catch (error) {
      if (signal.aborted || !newer.signal.aborted) throw error
      this.#say('superseded', commit, 'there is a newer commit')
      return 'superseded'
    } finally {
      waiting.abort()
      await watching
    }
    this.#settled = { commit, outcome: 'notReady' }
    if (this.#good !== undefined) {
      this.#deployed = this.#good.tree
      await deploy(this.#good.made)
      this.#say('restored', this.#good.commit, 'the last good commit is deployed again')
    }
    return 'notReady'
  }

  async #untilNewer(commit: string, signal: AbortSignal, newer: AbortController): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(this.#jittered(), { signal }).catch(() => undefined)
      if (signal.aborted) return
      // Trouble while looking is no reason to stop waiting.
      const seen = await this.#options.repository.look(signal).catch(() => undefined)
      if (seen === undefined || seen === commit) continue
      newer.abort(new Error('there is a newer commit'))
      return
    }
  }

  #jittered(): number {
    const { intervalMs } = this.#options
    return backoffDelayMs({ attempt: 1, baseMs: intervalMs, maxMs: intervalMs * 1.5, random: this.#random })
  }

  #say(event: FollowStep, commit: string, message: string): void {
    this.#options.onEvent({ event, commit, message })
  }
}
