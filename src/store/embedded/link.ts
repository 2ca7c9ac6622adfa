// The line to the worker: a request goes out, its answer comes back as a promise.
// The worker holds the process only while somebody waits for it.

import { Worker } from 'node:worker_threads'
import { StoreError } from '../store.ts'
import type { Answer, Answers, Envelope, Request } from './messages.ts'

interface Waiting {
  readonly resolve: (answer: Answers[Request['type']]) => void
  readonly reject: (error: StoreError) => void
}

export class Link {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #onLost: (error: StoreError) => void
  #serial = 0
  #lost: StoreError | undefined
  #isEnding = false

  /** `onLost`: the worker is gone although nobody ended it; what waited has been rejected. */
  constructor({ url, onLost }: { url: URL; onLost: (error: StoreError) => void }) {
    this.#onLost = onLost
    this.#worker = new Worker(url, { name: 'k3v-store' })
    this.#worker.on('message', (answer: Answer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#lose(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', (code) => this.#lose(new Error(`the worker ended with code ${code}`)))
    this.#worker.unref()
  }

  request<Type extends Request['type']>(
    request: Request & { readonly type: Type },
    transfer: ArrayBuffer[] = [],
  ): Promise<Answers[Type]> {
    const lost = this.#lost
    if (lost !== undefined) return Promise.reject(lost)
    this.#serial += 1
    const serial = this.#serial
    const answer = new Promise<Answers[Request['type']]>((resolve, reject) => {
      this.#waiting.set(serial, { resolve, reject })
    })
    if (this.#waiting.size === 1) this.#worker.ref()
    const envelope: Envelope = { serial, request }
    this.#worker.postMessage(envelope, transfer)
    return answer as Promise<Answers[Type]>
  }

  async end(): Promise<void> {
    this.#isEnding = true
    await this.#worker.terminate()
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.serial)
    this.#waiting.delete(answer.serial)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (answer.ok) waiting?.resolve(answer.answer)
    else waiting?.reject(new StoreError(answer.fault, answer.message))
  }

  #lose(cause: Error): void {
    if (this.#lost !== undefined) return
    const lost = new StoreError('failed', `the store's worker is gone: ${cause.message}`, { cause })
    this.#lost = lost
    for (const { reject } of this.#waiting.values()) reject(lost)
    this.#waiting.clear()
    if (!this.#isEnding) this.#onLost(lost)
  }
}
