// Bytes of objects and of their metadata, cut out of what is stored without parsing it.
// Canonical bytes start with apiVersion, kind and metadata (api/stored.ts): that is relied on here.

import type { KubeObject } from '../../api/object.ts'
import { StoredObject } from '../../api/stored.ts'

/** The object's JSON; shared with the store when it comes from there, so never written into. */
export function bytesOf(object: KubeObject | StoredObject): Buffer {
  return object instanceof StoredObject ? object.bytes : Buffer.from(JSON.stringify(object))
}

export function parsedOf(object: KubeObject | StoredObject): KubeObject {
  return object instanceof StoredObject ? object.object : object
}

const marker = Buffer.from('"metadata":')
const [quote, backslash, open, close] = [0x22, 0x5c, 0x7b, 0x7d]

/** The JSON of `metadata` alone. */
export function metadataBytes(object: KubeObject | StoredObject): Buffer {
  if (!(object instanceof StoredObject)) return Buffer.from(JSON.stringify(object.metadata))
  const { bytes } = object
  const start = bytes.indexOf(marker) + marker.length
  return bytes.subarray(start, endOfValue(bytes, start))
}

// `start` stands on the opening brace; braces inside strings do not count.
function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0
  let isInString = false
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (isInString) {
      if (byte === backslash) at += 1
      else if (byte === quote) isInString = false
    } else if (byte === quote) isInString = true
    else if (byte === open) depth += 1
    else if (byte === close) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return bytes.length
}

const closing = Buffer.from('}')

/** `PartialObjectMetadata` of an object. */
export function partialBytes(object: KubeObject | StoredObject, metaVersion: string): Buffer {
  const opening = Buffer.from(
    `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${metaVersion}","metadata":`,
  )
  return Buffer.concat([opening, metadataBytes(object), closing])
}
