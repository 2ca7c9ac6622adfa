// Signs in as a kubeconfig says, plugins and proxies included: the one file that knows @kubernetes/client-node.
// Writing a kubeconfig is kubeconfig-file.ts's; the pod's own service account is in-cluster.ts's.

import { existsSync } from 'node:fs'
import type http from 'node:http'
import type https from 'node:https'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { Clock } from '../platform/clock.ts'
import type { Credentials, TlsOptions } from './connection.ts'
import { createHttpClient, type HttpClient } from './http.ts'

export interface KubeconfigOptions {
  /** Absent: KUBECONFIG, then ~/.kube/config, as kubectl does. */
  readonly path?: string | undefined
  /** A kubeconfig's text, instead of a path. */
  readonly text?: string | undefined
  /** Absent: the file's current context. */
  readonly context?: string | undefined
  readonly userAgent?: string | undefined
  readonly clock?: Clock | undefined
  readonly onWarning?: ((text: string) => void) | undefined
}

export interface KubeconfigConnection {
  readonly client: HttpClient
  readonly context: string
  readonly server: string
  /** The context's, or `default`. */
  readonly namespace: string
}

/** Rejects with a message for a person when the file, the context or the cluster does not exist. */
export async function connectKubeconfig(options: KubeconfigOptions = {}): Promise<KubeconfigConnection> {
  const config = await load(options)
  const context = options.context ?? config.getCurrentContext() ?? ''
  const found = config.getContextObject(context)
  if (found === null) throw new Error(`the kubeconfig has no context ${JSON.stringify(context)}`)
  config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error(`the kubeconfig has no cluster ${JSON.stringify(found.cluster)}`)
  const client = createHttpClient({
    server: cluster.server,
    credentials: () => credentialsOf(config),
    userAgent: options.userAgent,
    clock: options.clock,
    onWarning: options.onWarning,
  })
  return { client, context, server: cluster.server, namespace: found.namespace ?? 'default' }
}

async function load({ path, text }: KubeconfigOptions): Promise<KubeConfig> {
  // Its whole index costs a second to load; this one module a third of that, and only where it is needed.
  const { KubeConfig: Config } = await import('@kubernetes/client-node/dist/config.js')
  const config = new Config()
  if (text !== undefined) config.loadFromString(text)
  else await loadFiles(config, path)
  return config
}

/** Several files, as KUBECONFIG may list, are merged by the library alone. */
async function loadFiles(config: KubeConfig, path: string | undefined): Promise<void> {
  const listed = path ?? process.env['KUBECONFIG'] ?? ''
  const files = listed === '' ? [join(homedir(), '.kube', 'config')] : listed.split(delimiter)
  // The library would fall back to localhost:8080, or say ENOENT alone.
  if (!files.some((file) => existsSync(file)))
    throw new Error(`there is no kubeconfig at ${files.join(', ')}`)
  try {
    if (files.length === 1 && files[0] !== undefined) config.loadFromFile(files[0])
    else config.loadFromDefault()
  } catch (error) {
    // Of YAML errors the first line says what and where; the rest would show what may be a credential.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new Error(`the kubeconfig at ${files.join(', ')} cannot be read: ${reason}`, { cause: error })
  }
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: https.RequestOptions & { auth?: string | null } = {}
  await config.applyToHTTPSOptions(options)
  const isProxied = config.getCurrentCluster()?.proxyUrl !== undefined
  return {
    tls: tlsOf(options),
    headers: {
      ...headersOf(options.headers),
      ...(options.auth ? { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` } : {}),
    },
    ...(isProxied && typeof options.agent === 'object' ? { agent: options.agent } : {}),
  }
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: https.RequestOptions): TlsOptions {
  return {
    ca: ca as TlsOptions['ca'],
    cert: cert as TlsOptions['cert'],
    key: key as TlsOptions['key'],
    serverName: servername,
    isVerified: rejectUnauthorized !== false,
  }
}

function headersOf(
  headers: http.OutgoingHttpHeaders | readonly string[] | undefined,
): Record<string, string> {
  const entries = Object.entries(headers ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]))
}
