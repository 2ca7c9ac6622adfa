// Where the worker's program stands: beside this file in the sources, beside the bundle when there is one.

import { basename, extname } from 'node:path'

/** What scripts/build.ts calls the bundled worker, beside the bundled plane. */
const bundledWorker = './store-worker.mjs'

export function workerUrl(own: string = import.meta.url): URL {
  const file = basename(new URL(own).pathname)
  const isBundled = file !== `worker-url${extname(file)}`
  return new URL(isBundled ? bundledWorker : `./worker${extname(file)}`, own)
}
