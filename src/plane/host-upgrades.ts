// Ends the upgrades of pods on the embedded host: which protocol was agreed, and what runs behind it.
// Framing and streams are node/'s; who may is decided before.

import type { Pod } from '../api/models.ts'
import { ApiError, badRequest, notFound } from '../api/status.ts'
import type { NodeActor } from '../node/actor.ts'
import type { PodExec } from '../node/pods/pod-exec.ts'
import { attachPod } from '../node/streams/attach.ts'
import { channelOfSocket, channelOfWebSocket } from '../node/streams/channel.ts'
import { serveExecOverSpdy, spdyExecProtocols } from '../node/streams/exec-spdy.ts'
import { execProtocols, serveExec } from '../node/streams/exec-websocket.ts'
import { portForwardProtocol, servePortForward } from '../node/streams/port-forward.ts'
import { WebSocketServerEnd } from '../node/streams/websocket.ts'
import type { Upgrade, UpgradeRequest } from '../server/upgrade.ts'
import { notReady } from './host-logs.ts'

const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`

export interface HostUpgradeOptions {
  /** Undefined while the node is not there yet. */
  readonly actor: () => NodeActor | undefined
  readonly pod: (target: { readonly namespace: string; readonly name: string }) => Promise<Pod | undefined>
}

/** For the plane's `upgrade`. */
export function answerHostUpgrades(options: HostUpgradeOptions): Upgrade {
  return async (asked) => {
    const actor = options.actor()
    if (actor === undefined) throw notReady()
    const { subresource } = asked.route
    if (subresource === 'exec') return await answerExec(actor, asked)
    if (subresource === 'attach') return await answerAttach(actor, asked)
    if (subresource === 'portforward') return await answerPortForward(actor, asked, options)
    throw notOffered(`pods/${subresource}`)
  }
}

async function answerExec(actor: NodeActor, asked: UpgradeRequest): Promise<void> {
  const { request, route, query } = asked
  const command = query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  refuseTerminal(asked)
  const wire = wireOf(asked, { webSocket: execProtocols, spdy: spdyExecProtocols })
  const process = await actor.exec({
    namespace: route.namespace,
    pod: route.name,
    container: query.get('container') || undefined,
    command,
    signal: request.signal,
  })
  await serveProcess(process, asked, wire)
}

/** Output only: the programs of this host are started without input. */
async function answerAttach(actor: NodeActor, asked: UpgradeRequest): Promise<void> {
  refuseTerminal(asked)
  if (wants(asked, 'stdin'))
    throw badRequest('containers of the embedded host have no input: leave out stdin')
  const wire = wireOf(asked, { webSocket: execProtocols, spdy: spdyExecProtocols })
  const { namespace, name: pod } = asked.route
  const container = asked.query.get('container') || undefined
  await serveProcess(
    attachPod(actor, { namespace, pod, container, signal: asked.request.signal }),
    asked,
    wire,
  )
}

async function serveProcess(process: PodExec, asked: UpgradeRequest, wire: Wire): Promise<void> {
  const { socket, head } = asked
  const { key, protocol } = wire
  const has = (name: string): boolean => wants(asked, name)
  if (key === undefined) {
    const wanted = (['stdin', 'stdout', 'stderr'] as const).filter(has)
    return await serveExecOverSpdy(channelOfSocket(socket, head, protocol), process, wanted)
  }
  const streams = { hasStdin: has('stdin'), hasStdout: has('stdout'), hasStderr: has('stderr') }
  await serveExec(process, { socket, head, key, protocol, ...streams })
}

const wants = ({ query }: UpgradeRequest, name: string): boolean =>
  ['true', '1'].includes(query.get(name) ?? '')

function refuseTerminal(asked: UpgradeRequest): void {
  if (wants(asked, 'tty')) throw badRequest('containers of the embedded host have no terminal: leave out tty')
}

async function answerPortForward(
  actor: NodeActor,
  asked: UpgradeRequest,
  options: HostUpgradeOptions,
): Promise<void> {
  const { request, route, socket, head } = asked
  const { namespace, name } = route
  const pod = await options.pod({ namespace, name })
  if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name)
  const { phase = 'Pending', podIP: address = '' } = pod.status ?? {}
  if (phase !== 'Running' || address === '') {
    throw badRequest(`unable to forward port because pod is not running. Current status=${phase}`)
  }
  const { key, protocol } = wireOf(asked, { webSocket: [tunnelProtocol], spdy: [portForwardProtocol] })
  const channel =
    key === undefined
      ? channelOfSocket(socket, head, protocol)
      : channelOfWebSocket(new WebSocketServerEnd(socket, { key, protocol }, head))
  await servePortForward(channel, (port) => actor.dial({ address, port }, { signal: request.signal }))
}

interface Wire {
  readonly protocol: string
  /** Of a websocket; without it the socket speaks SPDY. */
  readonly key?: string | undefined
}

/** Throws 400 for a client that speaks nothing of this. */
function wireOf(
  { request: { headers } }: UpgradeRequest,
  known: { readonly webSocket: readonly string[]; readonly spdy: readonly string[] },
): Wire {
  const upgrade = (headers.get('upgrade') ?? '').toLowerCase()
  const listed = (name: string): readonly string[] =>
    headers.all(name).flatMap((line) => line.split(',').map((one) => one.trim()))
  if (upgrade === 'spdy/3.1') {
    const offered = listed('x-stream-protocol-version')
    const protocol = known.spdy.find((one) => offered.includes(one))
    if (protocol !== undefined) return { protocol }
  }
  const offered = listed('sec-websocket-protocol')
  const protocol = known.webSocket.find((one) => offered.includes(one))
  const key = headers.get('sec-websocket-key')
  const isWebSocket = upgrade === 'websocket' && headers.get('sec-websocket-version') === '13'
  if (isWebSocket && key !== undefined && protocol !== undefined) return { protocol, key }
  throw badRequest(
    `unable to upgrade: known are websockets of ${known.webSocket.join(', ')} and SPDY/3.1 with ${known.spdy.join(', ')}`,
  )
}

const notOffered = (what: string): ApiError =>
  new ApiError({
    code: 501,
    reason: 'NotImplemented',
    message: `${what} is not offered by the embedded host`,
  })
