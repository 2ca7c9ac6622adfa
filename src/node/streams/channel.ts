// What a SPDY session runs over: an upgraded socket as it is, or a websocket that carries its bytes in messages.

import type { Duplex } from 'node:stream'
import type { Channel } from '../spdy/session.ts'
import type { WebSocketServerEnd } from './websocket.ts'

export function channelOfWebSocket(end: WebSocketServerEnd): Channel {
  return { source: end.messages(), send: (data) => end.send(data), close: () => end.close() }
}

/** Answers the upgrade. */
export function channelOfSocket(socket: Duplex, head: Buffer, protocol: string): Channel {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  return {
    source: bytesOf(socket, head),
    send: (data) => send(socket, data),
    close: () => {
      if (socket.writable) socket.end(() => socket.destroy())
    },
  }
}

async function* bytesOf(socket: Duplex, head: Buffer): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  yield* socket as AsyncIterable<Buffer>
}

async function send(socket: Duplex, data: Uint8Array): Promise<boolean> {
  if (!socket.writable) return false
  if (!socket.write(data)) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }
  return socket.writable
}
