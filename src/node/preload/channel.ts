// One thread's line to the actor: questions and answers, a JSON document a line. The actor's end is network/control.ts.
// When the line is cut the host is gone, and so is the container.

import net from 'node:net'
import { isMainThread } from 'node:worker_threads'
import type { PreloadConfig } from './config.ts'

export type Protocol = 'TCP' | 'UDP'

export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/** What a container asks. */
export type Question =
  | {
      readonly op: 'publish'
      readonly protocol: Protocol
      readonly port: number
      readonly host: string
      readonly realPort: number
      readonly isLocal: boolean
    }
  | { readonly op: 'unpublish'; readonly protocol: Protocol; readonly port: number }
  | { readonly op: 'map'; readonly protocol: Protocol; readonly address: string; readonly port: number }
  | { readonly op: 'lookup'; readonly name: string; readonly family: 0 | 4 | 6 }
  | { readonly op: 'resolve'; readonly name: string; readonly type: string }

/** What it is told. `pass`: not the actor's, ask the machine. */
export type Answer =
  | { readonly ok: true }
  | { readonly target: { readonly host: string; readonly port: number } }
  | { readonly addresses: readonly Address[] }
  | { readonly records: readonly unknown[] }
  | { readonly pass: true }
  | { readonly error: string }

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

// The patched ones are for the program; the line itself is a plain socket.
const connect: (this: net.Socket, options: net.TcpNetConnectOpts) => unknown = net.Socket.prototype.connect

export class Channel {
  readonly #socket: net.Socket
  readonly #waiting = new Map<number, Waiting>()
  #rest = ''
  #asked = 0

  constructor({ control }: PreloadConfig) {
    this.#socket = new net.Socket()
    this.#socket.setEncoding('utf8')
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk: Buffer | string) => this.#read(String(chunk)))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => this.#end())
    connect.call(this.#socket, { host: '127.0.0.1', port: control.port })
    this.#socket.write(`${JSON.stringify({ token: control.token })}\n`)
    this.#socket.unref()
  }

  /** Keeps the process alive until the answer is there. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#asked += 1
      const id = this.#asked
      this.#waiting.set(id, { resolve, reject })
      this.#socket.ref()
      this.#socket.write(`${JSON.stringify({ id, ...question })}\n`)
    })
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const { id, ...answer } = JSON.parse(line) as Answer & { readonly id: number }
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#socket.unref()
      waiting?.resolve(answer as Answer)
    }
  }

  #end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the embedded host is gone'))
    this.#waiting.clear()
    // Nothing that the program holds open may keep it: nobody would ever stop it.
    if (isMainThread) process.kill(process.pid, 'SIGKILL')
  }
}
