// What of a package travels to its plane: the rendered objects and how their health is judged.
// The archive itself, with its sources and proof, stays with whoever deploys.

import { gunzipSync, gzipSync } from 'node:zlib'
import type { KubeObject } from '../api/object.ts'
import type { Exposed } from './pointer.ts'

export interface Payload {
  readonly name: string
  readonly version: string
  readonly objects: readonly KubeObject[]
  /** CEL over `self`, for kinds that kstatus cannot judge. */
  readonly health: readonly { readonly apiVersion: string; readonly kind: string; readonly ready: string }[]
  /** Services to publish on the host under a name of their own. */
  readonly expose: readonly Exposed[]
}

// A package of 16 MiB packed is at most so large unpacked.
const payloadBytesMax = 256 * 1024 * 1024

/** The same payload gives the same bytes. */
export function packPayload({ name, version, objects, health, expose }: Payload): Buffer {
  return gzipSync(JSON.stringify({ name, version, objects, health, expose }), { level: 9 })
}

export function unpackPayload(bytes: Uint8Array): Payload {
  return JSON.parse(gunzipSync(bytes, { maxOutputLength: payloadBytesMax }).toString('utf8')) as Payload
}
