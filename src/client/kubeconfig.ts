// Signs in as a kubeconfig says, plugins and proxies included: the one file that knows @kubernetes/client-node.
// Writing a kubeconfig is kubeconfig-file.ts's; the pod's own service account is in-cluster.ts's.

import type http from 'node:http'
import type https from 'node:https'
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
  else if (path !== undefined) config.loadFromFile(path)
  else config.loadFromDefault()
  return config
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
