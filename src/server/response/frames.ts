// Watch events as JSON lines, made once for all watchers of one object version.
// Kept for a while only: the newest versions are what many watchers get at the same time.

import type { WatchEvent } from '../../api/contracts.ts'
import type { Status } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'

const framesMax = 256
const lineEnd = Buffer.from('}\n')
const starts = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
} as const
export type FrameType = keyof typeof starts

/** `{"type":"ADDED","object":…}` and a line end. */
export function frame(type: FrameType, object: Uint8Array): Buffer {
  return Buffer.concat([starts[type], object, lineEnd])
}

export const errorFrame = (status: Status): Buffer => frame('ERROR', Buffer.from(JSON.stringify(status)))

/** Frames of whole objects, shared. One cache serves all watches of a server. */
export class FrameCache {
  readonly #frames = new Map<StoredObject, Map<FrameType, Buffer>>()

  frameOf({ type, object }: WatchEvent): Buffer {
    const known = this.#frames.get(object)?.get(type)
    if (known !== undefined) return known
    const made = frame(type, object.bytes)
    this.#keep(object).set(type, made)
    return made
  }

  get size(): number {
    return this.#frames.size
  }

  #keep(object: StoredObject): Map<FrameType, Buffer> {
    const known = this.#frames.get(object)
    if (known !== undefined) return known
    if (this.#frames.size >= framesMax) {
      const oldest = this.#frames.keys().next()
      if (!oldest.done) this.#frames.delete(oldest.value)
    }
    const types = new Map<FrameType, Buffer>()
    this.#frames.set(object, types)
    return types
  }
}
