// A command's streams over one websocket: v5.channel.k8s.io and v4, a byte before each message names the stream.
// Upstream: kubelet's remotecommand/websocket.go. What runs is pods/pod-exec.ts's.

import type { Duplex, Readable } from 'node:stream'
import type { PodExec } from '../pods/pod-exec.ts'
import { exitStatus } from './exit-status.ts'
import { WebSocketServerEnd } from './websocket.ts'

export const execProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const

export interface ExecSocket {
  readonly socket: Duplex
  readonly head: Buffer
  readonly key: string
  readonly protocol: string
  readonly hasStdin: boolean
  readonly hasStdout: boolean
  readonly hasStderr: boolean
}

/** Resolves when the command has ended and its end is told, or when the client has gone. */
export async function serveExec(process: PodExec, options: ExecSocket): Promise<void> {
  const { socket, head, key, protocol, hasStdin, hasStdout, hasStderr } = options
  const end = new WebSocketServerEnd(socket, { key, protocol }, head)
  const send = (channel: number, data: Uint8Array): Promise<boolean> =>
    end.send(Buffer.concat([Buffer.from([channel]), data]))
  // An empty message tells the client that the streams are there.
  await send(hasStdout ? channels.stdout : channels.error, Buffer.alloc(0))
  if (!hasStdin) process.stdin.end()
  const input = readInput(end, process, hasStdin)
  await Promise.all([
    copy(process.stdout, (data) => (hasStdout ? send(channels.stdout, data) : Promise.resolve(true))),
    copy(process.stderr, (data) => (hasStderr ? send(channels.stderr, data) : Promise.resolve(true))),
  ])
  await send(channels.error, Buffer.from(JSON.stringify(exitStatus(await process.exited))))
  end.close()
  await input
}

async function readInput(end: WebSocketServerEnd, { stdin }: PodExec, hasStdin: boolean): Promise<void> {
  try {
    for await (const message of end.messages()) {
      const [channel, closed] = message
      if (channel === channels.close && closed === channels.stdin) stdin.end()
      if (channel !== channels.stdin || !hasStdin || !stdin.writable) continue
      if (!stdin.write(message.subarray(1))) await drainedOrGone(stdin)
    }
  } catch {
    // The client has gone or talks nonsense: its command ends with the connection.
    end.close(1002)
  }
}

function drainedOrGone(stdin: PodExec['stdin']): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stdin.off('drain', done)
      stdin.off('close', done)
      resolve()
    }
    stdin.on('drain', done)
    stdin.on('close', done)
  })
}

async function copy(from: Readable, write: (data: Buffer) => Promise<boolean>): Promise<void> {
  try {
    for await (const chunk of from) await write(chunk as Buffer)
  } catch {
    // The stream was destroyed with its process.
  }
}
