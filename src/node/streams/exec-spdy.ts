// A command's streams over SPDY (v5 and v4 of remotecommand): the client opens one stream for each.
// Upstream: kubelet's remotecommand/httpstream.go. What runs is pods/pod-exec.ts's.

import type { PodExec } from '../pods/pod-exec.ts'
import { type Channel, SpdySession, type SpdyStream } from '../spdy/session.ts'
import { exitStatus } from './exit-status.ts'

export const spdyExecProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const

/** Which streams the client will open, besides the one for errors. */
export type ExecStreams = readonly ('stdin' | 'stdout' | 'stderr')[]

/** Resolves when the client has gone, which it does once the command's end is told; never rejects. */
export async function serveExecOverSpdy(
  channel: Channel,
  process: PodExec,
  wanted: ExecStreams,
): Promise<void> {
  const streams = new Map<string, SpdyStream>()
  const expected = ['error', ...wanted]
  const session = new SpdySession(channel, (stream) => {
    const type = stream.headers.get('streamtype') ?? ''
    if (!expected.includes(type) || streams.has(type)) {
      stream.destroy()
      return
    }
    streams.set(type, stream)
    if (streams.size === expected.length) void run(process, streams)
  })
  await session.run()
  // What nobody reads any more would keep its pipe open.
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.destroy()
}

async function run(process: PodExec, streams: ReadonlyMap<string, SpdyStream>): Promise<void> {
  const input = streams.get('stdin')
  if (input === undefined) process.stdin.end()
  else input.pipe(process.stdin)
  const [errors, ...outputs] = ['error', 'stdout', 'stderr'].map((name) => streams.get(name))
  errors?.resume()
  const ended = [process.stdout, process.stderr].map((from, at) => {
    const to = outputs[at]
    if (to === undefined) from.resume()
    else {
      to.resume()
      from.pipe(to)
    }
    return new Promise<void>((resolve) => from.once('close', () => resolve()))
  })
  const exit = await process.exited
  await Promise.all(ended)
  errors?.end(JSON.stringify(exitStatus(exit)))
  input?.unpipe()
  input?.resume()
  input?.end()
}
