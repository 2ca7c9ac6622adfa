// The plane's program as one run of bytes: what templates/start.mjs unpacks in the pod.
// Building it is scripts/build.ts's; keeping it on the host is pieces.ts's.

import { gzipSync } from 'node:zlib'

/** File name to content; `plane.mjs` is the one that is started. */
export type ProgramFiles = ReadonlyMap<string, Uint8Array>

/** The same files give the same bytes, whatever order they come in. */
export function packProgram(files: ProgramFiles): Buffer {
  if (!files.has('plane.mjs')) throw new Error('the program has no plane.mjs: run `npm run build`')
  const entries = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const)
  return gzipSync(JSON.stringify(Object.fromEntries(entries)), { level: 9 })
}
