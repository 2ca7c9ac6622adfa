// Port-forward over a SPDY session: of each connection a stream for bytes and one for what went wrong.
// Upstream: kubelet's portforward/httpstream.go. Where a port leads is the caller's `dial`.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Channel, SpdySession, type SpdyStream } from '../spdy/session.ts'

export const portForwardProtocol = 'portforward.k8s.io'

const unpairedMax = 64

/** Serves connections until the client goes; never rejects. */
export async function servePortForward(
  channel: Channel,
  dial: (port: number) => Promise<Socket>,
): Promise<void> {
  const errors = new Map<string, SpdyStream>()
  const session = new SpdySession(channel, (stream) => {
    const { headers } = stream
    const id = headers.get('requestid') ?? headers.get('port') ?? ''
    const port = Number(headers.get('port'))
    if (!Number.isInteger(port) || port < 1 || port > 65_535 || errors.size > unpairedMax) stream.destroy()
    else if (headers.get('streamtype') === 'error') {
      // The client says nothing on it; its end has to be read for the stream to end.
      stream.resume()
      errors.set(id, stream)
      stream.once('close', () => errors.delete(id))
    } else if (headers.get('streamtype') === 'data') {
      const told = errors.get(id)
      errors.delete(id)
      if (told === undefined) stream.destroy()
      else void forward({ data: stream, told, port, dial })
    } else stream.destroy()
  })
  await session.run()
}

interface Forward {
  readonly data: SpdyStream
  readonly told: SpdyStream
  readonly port: number
  readonly dial: (port: number) => Promise<Socket>
}

async function forward({ data, told, port, dial }: Forward): Promise<void> {
  try {
    const socket = await dial(port)
    if (data.destroyed) socket.destroy()
    data.pipe(socket)
    socket.pipe(data)
    data.once('close', () => socket.destroy())
    await closed(socket)
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it failed'
    if (told.writable) told.write(`error forwarding port ${port} to the pod: ${reason}`)
    data.resume()
    data.end()
  }
  told.end()
}

/** Rejects with what broke it. */
function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => resolve())
  })
}
