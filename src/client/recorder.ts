// Tells people what a loop did or could not do, as Event objects; repeats are counted, not written again.
// Upstream: client-go/tools/record. Which events there are is each loop's.

import type { Event } from '../api/models.ts'
import type { Clock } from '../platform/clock.ts'
import { type Logger, silentLogger } from '../platform/log.ts'
import type { AnyObject, Client } from './client.ts'
import { isNotFound } from './failures.ts'
import { events } from './resources.ts'

export interface Occurrence {
  /** What it is about; apiVersion and kind must be set. */
  readonly object: AnyObject & {
    readonly apiVersion?: string | undefined
    readonly kind?: string | undefined
  }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly fieldPath?: string | undefined
}

export interface Recorder extends AsyncDisposable {
  /** Returns at once; an event that cannot be written is logged and lost. */
  record(occurrence: Occurrence): void
}

export interface RecorderOptions {
  readonly client: Client
  readonly component: string
  readonly clock: Clock
  readonly log?: Logger | undefined
}

export function createRecorder(options: RecorderOptions): Recorder {
  return new EventRecorder(options)
}

const waitingMax = 1_000
const knownMax = 4_096
const messageMax = 1_024
// Upstream: each object may cause 25 events at once, and one more every five minutes.
const burst = 25
const refillMs = 300_000

interface Known {
  readonly namespace: string
  readonly name: string
  count: number
}

class EventRecorder implements Recorder {
  readonly #client: Client
  readonly #component: string
  readonly #clock: Clock
  readonly #log: Logger
  readonly #waiting: Occurrence[] = []
  readonly #known = new Map<string, Known>()
  readonly #tokens = new Map<string, { left: number; atMs: number }>()
  readonly #stopping = new AbortController()
  #made = 0
  #sending: Promise<void> | undefined

  constructor({ client, component, clock, log = silentLogger }: RecorderOptions) {
    this.#client = client
    this.#component = component
    this.#clock = clock
    this.#log = log
  }

  record(occurrence: Occurrence): void {
    if (this.#stopping.signal.aborted || this.#waiting.length >= waitingMax || !this.#mayTell(occurrence))
      return
    this.#waiting.push(occurrence)
    this.#sending ??= this.#sendAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the recorder is stopped'))
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#stopping.signal.aborted) break
      try {
        await this.#send(next)
      } catch (error) {
        if (!this.#stopping.signal.aborted)
          this.#log.debug('could not write an event', { reason: next.reason, error })
      }
    }
    this.#sending = undefined
  }

  async #send(occurrence: Occurrence): Promise<void> {
    const key = [keyOfObject(occurrence), occurrence.type, occurrence.reason, occurrence.message].join('\n')
    const known = this.#known.get(key)
    if (known !== undefined && (await this.#countUp(known))) return
    const event = this.#eventOf(occurrence)
    await this.#client.create(events, event, { signal: this.#stopping.signal })
    const { namespace = '', name = '' } = event.metadata
    remember(this.#known, key, { namespace, name, count: 1 })
  }

  /** False when the event is gone: it has to be written anew. */
  async #countUp(known: Known): Promise<boolean> {
    known.count += 1
    const body = { count: known.count, lastTimestamp: this.#now() }
    try {
      await this.#client.patch(events, known, { type: 'merge', body, signal: this.#stopping.signal })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  #eventOf({ object, type, reason, message, fieldPath }: Occurrence): Event {
    const { metadata } = object
    const now = this.#now()
    this.#made += 1
    const stamp = (BigInt(this.#clock.now()) * 1_000_000n + BigInt(this.#made % 1_000_000)).toString(16)
    const namespace = metadata.namespace ?? 'default'
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${metadata.name}.${stamp}`, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
        fieldPath,
      },
      reason,
      message: message.length > messageMax ? `${message.slice(0, messageMax - 1)}…` : message,
      type,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: this.#component },
      reportingComponent: this.#component,
      reportingInstance: '',
    }
  }

  #now(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`
  }

  #mayTell(occurrence: Occurrence): boolean {
    const key = keyOfObject(occurrence)
    const nowMs = this.#clock.monotonic()
    const known = this.#tokens.get(key) ?? { left: burst, atMs: nowMs }
    const left = Math.min(burst, known.left + (nowMs - known.atMs) / refillMs)
    if (left < 1) return false
    remember(this.#tokens, key, { left: left - 1, atMs: nowMs })
    return true
  }
}

const keyOfObject = ({ object: { kind, metadata } }: Occurrence): string =>
  `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}/${metadata.uid ?? ''}`

/** The oldest is forgotten when there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= knownMax) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
