// Ends the upgrades of pods on the embedded host: which protocol was agreed, and what runs behind it.
// Framing and streams are node/streams's; who may is decided before.

import { ApiError, badRequest } from '../api/status.ts'
import type { NodeActor } from '../node/actor.ts'
import { execProtocols, serveExec } from '../node/streams/exec-websocket.ts'
import type { Upgrade, UpgradeRequest } from '../server/upgrade.ts'
import { notReady } from './host-logs.ts'

/** For the plane's `upgrade`. */
export function answerHostUpgrades(actorOf: () => NodeActor | undefined): Upgrade {
  return async (asked) => {
    const actor = actorOf()
    if (actor === undefined) throw notReady()
    const { subresource } = asked.route
    if (subresource === 'exec') return await answerExec(actor, asked)
    throw notOffered(`pods/${subresource}`)
  }
}

async function answerExec(actor: NodeActor, asked: UpgradeRequest): Promise<void> {
  const { request, route, query, socket, head } = asked
  const { headers } = request
  const command = query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  if (!/^websocket$/i.test(headers.get('upgrade') ?? '')) throw notOffered('exec over SPDY')
  const key = headers.get('sec-websocket-key')
  const offered = headers.all('sec-websocket-protocol').flatMap((line) => line.split(/ *, */))
  const protocol = execProtocols.find((one) => offered.includes(one))
  if (key === undefined || headers.get('sec-websocket-version') !== '13' || protocol === undefined) {
    throw badRequest(`the websocket must speak one of ${execProtocols.join(', ')}`)
  }
  const wants = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '')
  if (wants('tty')) throw badRequest('containers of the embedded host have no terminal: leave out tty')
  const process = await actor.exec({
    namespace: route.namespace,
    pod: route.name,
    container: query.get('container') || undefined,
    command,
    signal: request.signal,
  })
  const streams = { hasStdin: wants('stdin'), hasStdout: wants('stdout'), hasStderr: wants('stderr') }
  await serveExec(process, { socket, head, key, protocol, ...streams })
}

const notOffered = (what: string): ApiError =>
  new ApiError({
    code: 501,
    reason: 'NotImplemented',
    message: `${what} is not offered by the embedded host`,
  })
