// Reads a request body into memory, within a bound of bytes and of time.
// Decoding it is request-body.ts's work.

import type { Readable } from 'node:stream'
import type { Clock } from '../../platform/clock.ts'
import { BodyError } from './exchange.ts'

export interface BodyLimits {
  readonly bodyBytesMax: number
  readonly bodyTimeoutMs: number
}

/** `contentLength` is what the header promised; a promise over the bound is refused before a byte is read. */
export function readBody(
  source: Readable,
  contentLength: string | undefined,
  { limits, clock }: { limits: BodyLimits; clock: Clock },
): Promise<Buffer> {
  if (contentLength !== undefined && Number(contentLength) > limits.bodyBytesMax) {
    return Promise.reject(tooLarge(limits))
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (finish: () => void) => {
      cancelTimer()
      source.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      finish()
    }
    const fail = (error: BodyError) =>
      settle(() => {
        source.pause()
        reject(error)
      })
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.bodyBytesMax) fail(tooLarge(limits))
      else chunks.push(chunk)
    }
    const onEnd = () =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const onGone = () => fail(new BodyError(400, 'the client went away before the body had ended'))
    const cancelTimer = clock.setTimer(limits.bodyTimeoutMs, () =>
      fail(
        new BodyError(408, `the request body did not arrive within ${limits.bodyTimeoutMs / 1000} seconds`),
      ),
    )
    if (source.destroyed && !source.readableEnded) onGone()
    else source.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}

const tooLarge = ({ bodyBytesMax }: BodyLimits) =>
  new BodyError(413, `Request entity too large: limit is ${bodyBytesMax}`)
