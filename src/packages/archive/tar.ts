// Files to the bytes of a tar archive and back. The same files always make the same bytes: sorted, no times, no owners.
// Reading trusts nothing: what is not exactly what writing would have made is refused.

import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { PackageError, packageError } from '../failure.ts'
import { byUnits } from '../files.ts'
import { sha256 } from './lock.ts'

export const compressedBytesMax = 32 * 1024 * 1024
export const unpackedBytesMax = 96 * 1024 * 1024
export const entriesMax = 4_000
// Text that was written by people is pressed to a tenth or a twentieth; more is a bomb, unless it is small.
const ratioMax = 100
const smallBytes = 1024 * 1024
const pathCharactersMax = 220
// Letters, digits and the punctuation of file names; no empty part, no part that starts with a dot.
const path = /^(?!.*(^|\/)\.)[\w.@+=,-][\w.@+=, ()[\]{}-]*(\/[\w@+=,-][\w.@+=, ()[\]{}-]*)*$/

// Magic, deflate, a comment follows, no time, best compression, unknown system: RFC 1952.
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 2, 255])
const plainHeaderBytes = 10
// The comment is the digest of what follows: gzip's own checksum leaves bits between its parts unwatched.
const headBytes = gzipHeader.length + 64 + 1

export async function writeTarball(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const tar = await tarOf(files)
  const compressed = await promisify(gzip)(tar, { level: constants.Z_BEST_COMPRESSION })
  const archive = withHead(compressed.subarray(plainHeaderBytes))
  if (archive.length > compressedBytesMax)
    throw packageError('', `the archive has more than ${compressedBytesMax} bytes`)
  return archive
}

/** Throws PackageError, naming `file`, for anything but what `writeTarball` makes. */
export async function readTarball(bytes: Uint8Array, file: string): Promise<Map<string, Uint8Array>> {
  if (bytes.length > compressedBytesMax) throw packageError(file, `more than ${compressedBytesMax} bytes`)
  if (!gzipHeader.equals(bytes.subarray(0, gzipHeader.length)))
    throw packageError(file, 'not a package archive')
  if (!withHead(bytes.subarray(headBytes)).equals(bytes))
    throw packageError(file, 'damaged: it does not have the digest that it names')
  const tar = await decompress(bytes, file)
  const files = await entriesOf(tar, file)
  // Whatever an archive can hide (links, overrides, holes, bytes after the end), it does not survive being made again.
  if (!(await tarOf(files)).equals(tar))
    throw packageError(file, 'damaged or not made by k3v pack: the archive is not in its one form')
  return files
}

export function isSafePath(name: string): boolean {
  return name.length <= pathCharactersMax && path.test(name)
}

function withHead(body: Uint8Array): Buffer {
  return Buffer.concat([gzipHeader, Buffer.from(`${sha256(body)}\0`, 'latin1'), body])
}

async function tarOf(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const stream = pack()
  const pieces: Buffer[] = []
  const read = (async () => {
    for await (const piece of stream) pieces.push(piece as Buffer)
  })()
  for (const [name, bytes] of [...files].sort(([a], [b]) => byUnits(a, b))) {
    if (!isSafePath(name))
      throw packageError(name, 'a name that archives cannot carry; use letters, digits, dots and dashes')
    stream.entry({ name, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: 'file' }, Buffer.from(bytes))
  }
  stream.finalize()
  await read
  return Buffer.concat(pieces)
}

async function decompress(bytes: Uint8Array, file: string): Promise<Buffer> {
  const maxOutputLength = Math.min(unpackedBytesMax, Math.max(smallBytes, bytes.length * ratioMax))
  try {
    const answer = await gunzipCounted(bytes, maxOutputLength)
    if (answer.consumed !== bytes.length) throw packageError(file, 'damaged: bytes follow the archive')
    return answer.output
  } catch (error) {
    if (error instanceof PackageError) throw error
    const { code } = error as { readonly code?: string }
    if (code === 'ERR_BUFFER_TOO_LARGE') throw packageError(file, 'unpacks to far more than a package holds')
    throw new PackageError([{ file, message: 'damaged: it does not unpack' }], { cause: error })
  }
}

function gunzipCounted(
  bytes: Uint8Array,
  maxOutputLength: number,
): Promise<{ output: Buffer; consumed: number }> {
  return new Promise((resolve, reject) => {
    // With `info` Node answers the engine too, which knows how much it read; the types do not say so.
    const options = { maxOutputLength, info: true } as { maxOutputLength: number }
    gunzip(bytes, options, (error, answer: unknown) => {
      if (error) return reject(error)
      const { buffer, engine } = answer as { buffer: Buffer; engine: { bytesWritten: number } }
      resolve({ output: buffer, consumed: engine.bytesWritten })
    })
  })
}

async function entriesOf(tar: Buffer, file: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  try {
    for await (const entry of Readable.from([tar]).pipe(extract())) {
      const { name, type } = entry.header
      const pieces: Buffer[] = []
      for await (const piece of entry) pieces.push(piece as Buffer)
      if (type !== 'file')
        throw packageError(file, `${JSON.stringify(name)} is a ${type}; packages hold plain files only`)
      if (!isSafePath(name))
        throw packageError(file, `${JSON.stringify(name)} is no name for a file in a package`)
      if (files.has(name)) throw packageError(file, `${name} is there twice`)
      if (files.size >= entriesMax) throw packageError(file, `more than ${entriesMax} files`)
      files.set(name, Buffer.concat(pieces))
    }
  } catch (error) {
    if (error instanceof PackageError) throw error
    throw new PackageError([{ file, message: 'damaged: not a tar archive' }], { cause: error })
  }
  return files
}
