// Bytes that are larger than a Secret may be, cut into Secrets, and put together again.
// Who may read them is the host's Role; what they are is program.ts's and payload.ts's.

import { createHash } from 'node:crypto'
import type { Secret } from '../api/models.ts'
import { labelsOf, type Part } from './release-names.ts'

// An API server takes one MiB of data in a Secret; etcd takes 1.5 MiB of request, and base64 adds a third.
const pieceBytes = 768 * 1024
export const keptBytesMax = 16 * 1024 * 1024

export interface KeepOptions {
  readonly release: string
  readonly prefix: string
  readonly part: Part
  readonly what: string
}

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Secrets without namespace and owner: deploy adds those. Names follow from the content, so they are immutable. */
export function toSecrets(bytes: Uint8Array, { release, prefix, part, what }: KeepOptions): Secret[] {
  if (bytes.length > keptBytesMax) {
    const mebibytes = (bytes.length / 1024 / 1024).toFixed(1)
    throw new Error(`the ${what} is ${mebibytes} MiB; a release keeps at most 16 MiB of it in Secrets`)
  }
  const short = digestOf(bytes).slice(0, 16)
  const count = Math.max(1, Math.ceil(bytes.length / pieceBytes))
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${prefix}-${part}-${short}-${index}`, labels: labelsOf(release, part) },
    type: 'Opaque',
    immutable: true,
    data: {
      [pieceName(index)]: Buffer.from(bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes)).toString(
        'base64',
      ),
    },
  }))
}

/** `piece-000`: sorts as it was cut. */
const pieceName = (index: number): string => `piece-${String(index).padStart(3, '0')}`

/** Throws when the pieces are not what the digest says. */
export function fromSecrets(secrets: readonly Secret[], digest: string): Buffer {
  const pieces = secrets
    .flatMap((secret) => Object.entries(secret.data ?? {}))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, base64]) => Buffer.from(String(base64), 'base64'))
  const bytes = Buffer.concat(pieces)
  const found = digestOf(bytes)
  if (found !== digest) throw new Error(`the pieces have the digest ${found}, not ${digest}`)
  return bytes
}
