// Compresses large answers for clients that take gzip, level 1, on libuv's pool rather than this thread.
// Small answers and streams stay as they are: there it would cost more than it saves.

import { constants, createGzip, gzip } from 'node:zlib'
import type { HttpResponse } from './exchange.ts'

const gzipFromBytes = 128 * 1024

/** The same answer, compressed where that pays. */
export async function compressed(
  response: HttpResponse,
  acceptEncoding: string | undefined,
): Promise<HttpResponse> {
  const { body } = response
  if (body === undefined || response.isStream || response.headers['content-encoding'] !== undefined)
    return response
  const bytes = isIterable(body) ? (response.bodyBytes ?? 0) : Buffer.byteLength(body)
  if (bytes < gzipFromBytes || !acceptsGzip(acceptEncoding)) return response
  const headers = { ...response.headers, 'content-encoding': 'gzip', vary: varyOf(response) }
  if (isIterable(body)) return { ...response, headers, body: gzipStream(body) }
  return { ...response, headers, body: await gzipWhole(body) }
}

export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  return acceptEncoding.split(',').some((part) => {
    const [coding = '', ...parameters] = part.trim().toLowerCase().split(';')
    const isRefused = parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter))
    return (coding.trim() === 'gzip' || coding.trim() === '*') && !isRefused
  })
}

function varyOf({ headers }: HttpResponse): string {
  const vary = headers['vary']
  return vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding`
}

export function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function gzipWhole(body: Uint8Array | string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(body, { level: constants.Z_BEST_SPEED }, (error, result) =>
      error ? reject(error) : resolve(result),
    )
  })
}

async function* gzipStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const zip = createGzip({ level: constants.Z_BEST_SPEED })
  const feeding = feed(zip, body)
  // A failing source shows itself below, through the destroyed stream.
  feeding.catch(() => undefined)
  try {
    for await (const chunk of zip) yield chunk as Buffer
    await feeding
  } finally {
    zip.destroy()
  }
}

async function feed(zip: ReturnType<typeof createGzip>, body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) {
      if (zip.destroyed) return
      if (zip.write(chunk)) continue
      await drained(zip)
    }
    zip.end()
  } catch (error) {
    zip.destroy(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

function drained(zip: ReturnType<typeof createGzip>): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      zip.off('drain', settle).off('close', settle)
      resolve()
    }
    zip.on('drain', settle).on('close', settle)
  })
}
