// Cuts a stream of bytes into lines of bounded length, one watch event each.
// What stands in a line is http.ts's.

import { ApiError } from '../api/status.ts'

/** The largest object an API server stores, several times over. */
export const lineBytesMax = 16 * 1024 * 1024

const newline = 0x0a

/** Yields whole lines without their end; a last line without one is a cut connection and is dropped. */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  bytesMax = lineBytesMax,
): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)])
      rest = []
      restBytes = 0
      start = end + 1
      if (line.length > bytesMax) throw tooLong(bytesMax)
      if (line.length > 0) yield line.toString('utf8')
    }
    const tail = chunk.subarray(start)
    restBytes += tail.length
    if (restBytes > bytesMax) throw tooLong(bytesMax)
    if (tail.length > 0) rest.push(tail)
  }
}

function tooLong(bytesMax: number): ApiError {
  return new ApiError({
    code: 500,
    reason: 'InternalError',
    message: `a watch event is over ${bytesMax} bytes`,
  })
}
