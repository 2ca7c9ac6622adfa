// The actor's end of the line to its containers: a server on loopback, a JSON document a line, a token for each container.
// What is answered is network.ts's; the containers' end is preload/channel.ts.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Logger } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import type { Answer, Question } from '../preload/channel.ts'

/** A container on the line. `T` is what the actor knows of it. */
export interface Caller<T> {
  readonly member: T
  /** One for each thread or child of the container. */
  readonly connection: object
}

export interface ControlOptions<T> {
  readonly answer: (caller: Caller<T>, question: Question) => Promise<Answer>
  readonly onClose: (caller: Caller<T>) => void
  readonly random: Random
  readonly log: Logger
}

export interface Control<T> extends AsyncDisposable {
  readonly port: number
  /** The token that makes a connection this member's. */
  admit(member: T): string
  /** Its token is void, its connections are cut. */
  dismiss(token: string): void
}

const lineMax = 64 * 1024
const connectionsMax = 10_000

export async function startControl<T>(options: ControlOptions<T>): Promise<Control<T>> {
  const control = new ControlServer(options)
  await control.listen()
  return control
}

class ControlServer<T> implements Control<T> {
  readonly #options: ControlOptions<T>
  readonly #members = new Map<string, T>()
  readonly #sockets = new Map<Socket, string | undefined>()
  readonly #server: Server

  constructor(options: ControlOptions<T>) {
    this.#options = options
    this.#server = createServer((socket) => this.#serve(socket))
    this.#server.maxConnections = connectionsMax
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: '127.0.0.1', port: 0 }, () => resolve())
    })
  }

  admit(member: T): string {
    const token = Buffer.from(this.#options.random.bytes(24)).toString('base64url')
    this.#members.set(token, member)
    return token
  }

  dismiss(token: string): void {
    this.#members.delete(token)
    for (const [socket, owner] of this.#sockets) if (owner === token) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#members.clear()
    for (const socket of this.#sockets.keys()) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #serve(socket: Socket): void {
    this.#sockets.set(socket, undefined)
    socket.setEncoding('utf8')
    socket.setNoDelay(true)
    let caller: Caller<T> | undefined
    let rest = ''
    socket.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > lineMax) socket.destroy()
      for (const line of lines) {
        if (caller !== undefined) this.#answer(socket, { caller, line })
        else caller = this.#greet(socket, line)
        if (caller === undefined) return
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (caller !== undefined) this.#options.onClose(caller)
    })
  }

  #greet(socket: Socket, line: string): Caller<T> | undefined {
    const token = tokenIn(line)
    const member = this.#members.get(token)
    if (member === undefined) {
      socket.destroy()
      return undefined
    }
    this.#sockets.set(socket, token)
    return { member, connection: socket }
  }

  #answer(socket: Socket, { caller, line }: { caller: Caller<T>; line: string }): void {
    const { id, ...question } = JSON.parse(line) as Question & { readonly id: number }
    const reply = (answer: Answer): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify({ id, ...answer })}\n`)
    }
    this.#options.answer(caller, question as Question).then(reply, (error: unknown) => {
      this.#options.log.debug('could not answer a container', { op: question.op, error })
      reply({ error: question.op === 'map' ? 'ECONNREFUSED' : 'EAI_AGAIN' })
    })
  }
}

function tokenIn(line: string): string {
  try {
    const { token } = JSON.parse(line) as { readonly token?: unknown }
    return typeof token === 'string' ? token : ''
  } catch {
    return ''
  }
}
