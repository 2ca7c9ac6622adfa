// Carries out what a probe or a hook asks for: an HTTP request, a connection, a command in the container.
// Upstream: pkg/probe. When and how often is prober.ts's.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Container, ExecAction, HTTPGetAction, SleepAction, TCPSocketAction } from '../../api/models.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Network } from '../network/network.ts'
import type { Instance } from './instance.ts'

export interface Action {
  readonly exec?: ExecAction | undefined
  readonly httpGet?: HTTPGetAction | undefined
  readonly tcpSocket?: TCPSocketAction | undefined
  readonly grpc?: { readonly port: number } | undefined
  readonly sleep?: SleepAction | undefined
}

export interface ActionContext {
  readonly container: Container
  readonly podIP: string
  readonly instance: Instance
  readonly network: Pick<Network, 'route' | 'dial'>
  readonly clock: Clock
}

/** Why it failed; undefined when it went well. Rejects only when the signal says so. */
export async function carryOut(
  action: Action,
  context: ActionContext,
  { signal }: { readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { instance, clock } = context
  if (instance.isSimulated) return undefined
  if (action.sleep !== undefined) {
    await clock.sleep(action.sleep.seconds * 1_000, { signal })
    return undefined
  }
  if (action.exec !== undefined) {
    const code = await instance.exec(action.exec.command ?? [], { signal })
    return code === 0 ? undefined : `command exited with ${code}`
  }
  try {
    if (action.httpGet !== undefined) return await requestOf(action.httpGet, context, signal)
    const wanted = action.tcpSocket ?? action.grpc
    return wanted === undefined ? 'there is nothing to do' : await connectTo(wanted, context, signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return error instanceof Error ? error.message : String(error)
  }
}

function portOf(port: number | string, { ports = [] }: Container): number {
  if (typeof port === 'number') return port
  const named = ports.find(({ name }) => name === port)?.containerPort ?? Number(port)
  if (!(named > 0)) throw new Error(`couldn't find port: ${port}`)
  return named
}

async function connectTo(
  { host = '', port }: { readonly host?: string | undefined; readonly port: number | string },
  { network, podIP, container }: ActionContext,
  signal: AbortSignal,
): Promise<undefined> {
  const socket = await network.dial(
    { address: host === '' ? podIP : host, port: portOf(port, container) },
    { signal },
  )
  socket.destroy()
  return undefined
}

function requestOf(
  action: HTTPGetAction,
  context: ActionContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { host = '', path = '/', scheme = 'HTTP', httpHeaders = [] } = action
  const address = host === '' ? context.podIP : host
  const port = portOf(action.port, context.container)
  const target = context.network.route({ address, port })
  const headers: Record<string, string> = {
    host: `${address}:${port}`,
    'user-agent': 'kube-probe/1.36',
    accept: '*/*',
    connection: 'close',
  }
  for (const { name, value } of httpHeaders) headers[name.toLowerCase()] = value
  const isSecure = scheme.toUpperCase() === 'HTTPS'
  const options = { ...target, path: path.startsWith('/') ? path : `/${path}`, headers, signal, agent: false }
  return new Promise((resolve, reject) => {
    const send = isSecure ? requestHttps : requestHttp
    // As for the kubelet, a probe proves that something answers, not who it is.
    const sent = send({ ...options, ...(isSecure ? { rejectUnauthorized: false } : {}) }, (response) => {
      const { statusCode = 0 } = response
      response.resume()
      response.destroy()
      resolve(
        statusCode >= 200 && statusCode < 400
          ? undefined
          : `HTTP probe failed with statuscode: ${statusCode}`,
      )
    })
    sent.once('error', reject)
    sent.end()
  })
}
