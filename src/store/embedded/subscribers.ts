// Who is told of each durable commit, and the replay of the past for those who come later.

import type { Logger } from '../../platform/log.ts'
import type { Revision, StoreEvent } from '../store.ts'
import type { Link } from './link.ts'
import { lastRowOf, revisionOf } from './row-id.ts'
import { unpack } from './slab.ts'

export type Listener = (events: readonly StoreEvent[]) => void

interface Subscriber {
  readonly listener: Listener
  /** Told up to here. */
  toldRevision: Revision
  /** Commits that wait until the past has been told. */
  held: (readonly StoreEvent[])[] | undefined
}

export class Subscribers {
  readonly #log: Logger
  readonly #subscribers = new Set<Subscriber>()

  constructor(log: Logger) {
    this.#log = log
  }

  publish(events: readonly StoreEvent[]): void {
    for (const subscriber of this.#subscribers) {
      if (subscriber.held === undefined) this.#tell(subscriber, events)
      else subscriber.held.push(events)
    }
  }

  /** Everything after `from` that is durable now, then everything that follows. */
  async add({
    from,
    revision,
    link,
    listener,
  }: {
    from: Revision
    revision: Revision
    link: Link
    listener: Listener
  }): Promise<() => void> {
    const subscriber: Subscriber = { listener, toldRevision: from, held: from < revision ? [] : undefined }
    this.#subscribers.add(subscriber)
    if (from < revision) {
      try {
        for await (const events of pastCommits({ from, upTo: revision, link })) this.#tell(subscriber, events)
      } catch (error) {
        this.#subscribers.delete(subscriber)
        throw error
      }
      for (const events of subscriber.held ?? []) this.#tell(subscriber, events)
      subscriber.held = undefined
    }
    return () => void this.#subscribers.delete(subscriber)
  }

  clear(): void {
    this.#subscribers.clear()
  }

  #tell(subscriber: Subscriber, events: readonly StoreEvent[]): void {
    const revision = events[0]?.revision ?? 0
    if (revision <= subscriber.toldRevision) return
    subscriber.toldRevision = revision
    try {
      subscriber.listener(events)
    } catch (error) {
      this.#log.error('a listener of the store failed', { revision, error })
    }
  }
}

async function* pastCommits({
  from,
  upTo,
  link,
}: {
  from: Revision
  upTo: Revision
  link: Link
}): AsyncGenerator<readonly StoreEvent[]> {
  const last = lastRowOf(upTo)
  let after = lastRowOf(from)
  let commit: StoreEvent[] = []
  for (;;) {
    const answer = await link.request({ type: 'events', after, upTo: last })
    const values = unpack(answer.values)
    const previousValues = unpack(answer.previous)
    for (const [at, key] of answer.keys.entries()) {
      const id = answer.ids[at] ?? 0
      const previousId = answer.previousIds[at] ?? 0
      const previousValue = previousValues[at]
      const previous =
        previousValue === undefined
          ? undefined
          : { key, value: previousValue, revision: revisionOf(previousId) }
      const revision = revisionOf(id)
      if (commit[0] !== undefined && commit[0].revision !== revision) {
        yield commit
        commit = []
      }
      commit.push({ key, revision, value: values[at], previous })
      after = id
    }
    if (answer.keys.length === 0) break
  }
  if (commit.length > 0) yield commit
}
