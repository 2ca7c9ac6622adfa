// How a pod reaches the API server of its own cluster: the mounted service account and two environment variables.
// A kubeconfig, and every other way to sign in, is kubeconfig.ts's.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '../platform/clock.ts'
import { createHttpClient, type HttpClient } from './http.ts'

export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

export interface InClusterOptions {
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  readonly folder?: string | undefined
  readonly clock?: Clock | undefined
  readonly userAgent?: string | undefined
  readonly onWarning?: ((text: string) => void) | undefined
}

export interface InCluster {
  readonly client: HttpClient
  readonly namespace: string
}

// The kubelet renews the file well before the token ends; upstream's client reads it again after so long.
const tokenAgeMaxMs = 60_000

/** Undefined when this process is in no pod; rejects when it is and cannot read its service account. */
export async function connectInCluster(options: InClusterOptions = {}): Promise<InCluster | undefined> {
  const { environment = process.env, folder = serviceAccountFolder, clock = systemClock, ...rest } = options
  const host = environment['KUBERNETES_SERVICE_HOST']
  const port = environment['KUBERNETES_SERVICE_PORT']
  if (host === undefined || host === '' || port === undefined || port === '') return undefined
  const [ca, namespace] = await Promise.all([
    readFile(join(folder, 'ca.crt'), 'utf8'),
    readFile(join(folder, 'namespace'), 'utf8'),
  ])
  const token = cachedFile(join(folder, 'token'), clock)
  await token()
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    client: createHttpClient({ server, tls: { ca }, token, clock, ...rest }),
    namespace: namespace.trim(),
  }
}

/** A file's text, read again when the copy is old; an unreadable file leaves the old copy in use. */
function cachedFile(path: string, clock: Clock): () => Promise<string> {
  let text: string | undefined
  let readMs = 0
  return async () => {
    if (text !== undefined && clock.monotonic() - readMs < tokenAgeMaxMs) return text
    readMs = clock.monotonic()
    try {
      text = (await readFile(path, 'utf8')).trim()
    } catch (error) {
      if (text === undefined) throw error
    }
    return text
  }
}
