// HTTP for the git library: its own client gives up after seconds of silence and follows redirects with credentials.
// An answer is handed over whole: the library buffers packs anyway, and what breaks off breaks here, where it is caught.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git'

export const answerBytesMax = 256 * 1024 * 1024
const silenceMsMax = 60_000

/** Aborting the signal ends every request that is under way. */
export function createTransport(signal: AbortSignal): HttpClient {
  return { request: (request) => exchange(request, signal) }
}

async function exchange(
  { url, method = 'GET', headers = {}, body }: GitHttpRequest,
  signal: AbortSignal,
): Promise<GitHttpResponse> {
  const sent = await collect(body)
  const send = url.startsWith('https:') ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...headers, 'content-length': String(sent.length) }, signal }
    const request = send(url, options, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > answerBytesMax)
          request.destroy(new Error(`the git server sends more than ${answerBytesMax} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, statusMessage = '' } = response
        if (statusCode >= 300 && statusCode < 400) {
          reject(new Error('the git server redirects; write the URL that it redirects to'))
          return
        }
        const answered = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
        resolve({
          url,
          method,
          statusCode,
          statusMessage,
          headers: Object.fromEntries(answered) as Record<string, string>,
          body: once(Buffer.concat(chunks)),
        })
      })
    })
    request.setTimeout(silenceMsMax, () => {
      request.destroy(new Error(`the git server says nothing for ${silenceMsMax / 1000} seconds`))
    })
    request.on('error', reject)
    request.end(sent)
  })
}

async function collect(body: GitHttpRequest['body']): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes
}
