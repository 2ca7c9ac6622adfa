// One ConfigMap on the host says who writes and which store the copies came from.
// It is taken and renewed by compare-and-swap; safety rests on the proofs that each write carries, not on this lock.

import type { ConfigMap } from '../api/models.ts'
import type { Client } from '../client/client.ts'
import { isConflict } from '../client/failures.ts'
import { configMaps } from '../client/resources.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import { hostName } from './names.ts'
import { type Identity, isOwned, type Owner, ownedMetadata } from './owner.ts'

export interface SyncStateOptions {
  readonly client: Client
  readonly owner: Owner
  /** Two processes with the same store cannot run at once, so a restart takes over without waiting. */
  readonly storeEpoch: string
  /** The newest revision of the plane's store. */
  readonly revision: () => string
  /** True when the host holds copies of objects that this store knows neither as alive nor as removed. */
  readonly hasStrangers: (signal: AbortSignal) => Promise<boolean>
  readonly clock: Clock
  readonly log: Logger
}

/** Renewed three times in the life of a lock. */
const renewMs = 10_000
const lifeMs = 30_000
/** A writer stops itself this much before another may start. */
const marginMs = 5_000
const goodbyeMs = 2_000
/** Set by a person on the ConfigMap, with the epoch of the store that is to be trusted from now on. */
const acceptAnnotation = 'k3v.dev/accept-store'

const identity: Identity = {
  group: 'k3v.dev',
  kind: 'SyncState',
  namespace: '',
  name: 'sync-state',
  uid: 'state',
}

export class SyncState implements AsyncDisposable {
  /** Resolves when this process has become the writer for the first time. */
  readonly held: Promise<void>
  readonly #options: SyncStateOptions
  readonly #held = Promise.withResolvers<void>()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #heldUntilMs = Number.NEGATIVE_INFINITY
  #alarm: string | undefined
  #fence = 0
  /** Another holder's record, and since when (monotonic) it is unchanged. */
  #seen: { readonly record: string; readonly sinceMs: number } | undefined

  constructor(options: SyncStateOptions) {
    this.#options = options
    this.held = this.#held.promise
    this.held.catch(() => undefined)
    this.#running = this.#run()
  }

  get isWriter(): boolean {
    return this.#options.clock.monotonic() < this.#heldUntilMs
  }

  /** Grows with each change of the writer. */
  get fence(): number {
    return this.#fence
  }

  /** Why what is absent proves nothing; undefined while it does. */
  get alarm(): string | undefined {
    return this.#alarm
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('sync is stopped'))
    await this.#running
    if (this.isWriter) {
      // The next writer need not wait, and knows how far this store had come. If the host is away, it waits.
      const { clock, log } = this.#options
      const limit = new AbortController()
      const cancel = clock.setTimer(goodbyeMs, () =>
        limit.abort(new Error('the host did not answer in time')),
      )
      await this.#letGo(limit.signal).catch((error: unknown) =>
        log.debug('could not let go of the lock', { error }),
      )
      cancel()
    }
    this.#heldUntilMs = Number.NEGATIVE_INFINITY
  }

  async #letGo(signal: AbortSignal): Promise<void> {
    const { client, owner } = this.#options
    const { name } = ownedMetadata(owner, identity)
    const current = await client.get(configMaps, { namespace: owner.hostNamespace, name }, { signal })
    const { holder, ...data } = current?.data ?? {}
    if (current === undefined || holder !== this.#options.storeEpoch) return
    const revision = this.#alarm === undefined ? this.#options.revision() : (data['revision'] ?? '0')
    await client.update(configMaps, { ...current, data: { ...data, revision } }, { signal })
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#renew(signal)
      } catch (error) {
        if (signal.aborted) break
        // Somebody was quicker, or the host is away: the lock runs out by itself.
        if (!isConflict(error)) log.debug('could not renew the lock on the host', { error })
      }
      await clock.sleep(this.isWriter ? renewMs : 1_000, { signal }).catch(() => undefined)
    }
    this.#held.reject(signal.reason)
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, owner, clock } = this.#options
    const startMs = clock.monotonic()
    const metadata = ownedMetadata(owner, identity)
    const current = await client.get(
      configMaps,
      { namespace: owner.hostNamespace, name: metadata.name },
      { signal },
    )
    if (current === undefined) await this.#create(metadata, signal)
    else {
      if (!isOwned(current, owner.planeUid, identity))
        throw new Error(`the ConfigMap ${metadata.name} on the host is not this plane's`)
      if (!this.#mayTake(current)) return
      await this.#update(current, signal)
    }
    this.#heldUntilMs = startMs + lifeMs - marginMs
    this.#held.resolve()
  }

  /** A holder that has not renewed for a whole life is taken for dead; only our own clock counts. */
  #mayTake({ data = {} }: ConfigMap): boolean {
    const { storeEpoch, clock } = this.#options
    if (data['holder'] === storeEpoch || data['holder'] === undefined) return true
    const record = JSON.stringify(data)
    if (this.#seen?.record !== record) this.#seen = { record, sinceMs: clock.monotonic() }
    return clock.monotonic() - this.#seen.sinceMs >= lifeMs
  }

  async #create(metadata: ConfigMap['metadata'], signal: AbortSignal): Promise<void> {
    const { client, storeEpoch, hasStrangers } = this.#options
    const isStranger = await hasStrangers(signal)
    this.#fence = 1
    const record = this.#record(isStranger ? '' : storeEpoch)
    await client.create(
      configMaps,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: record },
      { signal },
    )
    this.#judge(record['storeEpoch'] ?? '', false)
  }

  async #update(current: ConfigMap, signal: AbortSignal): Promise<void> {
    const { client, storeEpoch, hasStrangers } = this.#options
    const { data = {}, metadata } = current
    if (data['holder'] !== storeEpoch || this.#fence === 0) this.#fence = Number(data['fence'] ?? 0) + 1
    const { [acceptAnnotation]: accepted, ...annotations } = metadata.annotations ?? {}
    const known = data['storeEpoch'] ?? ''
    const isTrusted = known === storeEpoch || accepted === storeEpoch || !(await hasStrangers(signal))
    const isBack =
      accepted !== storeEpoch && known === storeEpoch && this.#isBehind(data['revision'], data['wentBack'])
    const record = this.#record(isTrusted ? storeEpoch : known)
    // A store that is not trusted does not move the mark; one that went back stays suspect until a person accepts it.
    const mark = isTrusted && !isBack ? {} : { revision: data['revision'] ?? '0' }
    const next = { ...record, ...mark, ...(isBack ? { wentBack: 'true' } : {}) }
    await client.update(
      configMaps,
      { ...current, metadata: { ...metadata, annotations }, data: next },
      { signal },
    )
    this.#judge(isTrusted ? storeEpoch : known, isBack)
  }

  #isBehind(revision: string | undefined, wentBack: string | undefined): boolean {
    return wentBack === 'true' || Number(this.#options.revision()) < Number(revision ?? 0)
  }

  #record(storeEpoch: string): Record<string, string> {
    const { clock, revision } = this.#options
    return {
      holder: this.#options.storeEpoch,
      fence: String(this.#fence),
      renewTime: new Date(clock.now()).toISOString(),
      storeEpoch,
      revision: revision(),
    }
  }

  #judge(known: string, isBack: boolean): void {
    const { storeEpoch, log } = this.#options
    const alarm =
      known !== storeEpoch
        ? 'the copies on the host came from another store than this one'
        : isBack
          ? 'the store is older than the copies on the host'
          : undefined
    if (alarm !== undefined && alarm !== this.#alarm)
      log.error('deletes nothing that is merely absent', {
        alarm,
        accept: `${acceptAnnotation}=${storeEpoch}`,
      })
    this.#alarm = alarm
  }
}

/** The name of the state's ConfigMap on the host. */
export const stateName = (planeUid: string): string => {
  const { group, kind, namespace, name } = identity
  return hostName({ planeUid, group, kind, namespace, name })
}
