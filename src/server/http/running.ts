// What a server has open: sockets, sessions, answers under way; and how all of it ends.
// Answers end themselves when `closing` is aborted; whoever does not is cut after the grace.

import type { Http2SecureServer, ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Cancel, Clock } from '../../platform/clock.ts'

export class Running {
  readonly #clock: Clock
  readonly #closing = new AbortController()
  readonly #sockets = new Set<TLSSocket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #answers = new Set<Promise<void>>()
  #closed: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get closing(): AbortSignal {
    return this.#closing.signal
  }

  addSocket(socket: TLSSocket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  /** A session without streams for `idleTimeoutMs` is closed; one with an open watch never is. */
  addSession(session: ServerHttp2Session, idleTimeoutMs: number): void {
    this.#sessions.add(session)
    let streams = 0
    let cancel: Cancel = () => undefined
    const startIdle = () => {
      cancel = this.#clock.setTimer(idleTimeoutMs, () => session.close())
    }
    session.on('stream', (stream) => {
      cancel()
      streams += 1
      stream.on('close', () => {
        streams -= 1
        if (streams === 0 && !session.closed) startIdle()
      })
    })
    session.on('close', () => {
      cancel()
      this.#sessions.delete(session)
    })
    startIdle()
  }

  /** `answer` must not reject. */
  track(answer: Promise<void>): void {
    this.#answers.add(answer)
    void answer.finally(() => this.#answers.delete(answer))
  }

  close(server: Http2SecureServer, graceMs: number): Promise<void> {
    this.#closed ??= this.#close(server, graceMs)
    return this.#closed
  }

  async #close(server: Http2SecureServer, graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    this.#closing.abort(new Error('the server is stopping'))
    for (const session of this.#sessions) session.close()
    await this.#finished(graceMs)
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** All answers are out, or the time is. */
  #finished(graceMs: number): Promise<void> {
    if (graceMs <= 0 || this.#answers.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(graceMs, resolve)
      void Promise.allSettled(this.#answers).then(() => {
        cancel()
        resolve()
      })
    })
  }
}
