// exec, attach and port-forward in a plane whose pods run on a host: proved to be the copy of this very pod, then two
// sockets tied together. What flows is the host's and the client's; the plane reads none of it.

import type { Duplex } from 'node:stream'
import { ApiError, badRequest, notFound } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import { textOf } from '../client/connection.ts'
import { failureOf } from '../client/failures.ts'
import type { HttpClient } from '../client/http.ts'
import { pods } from '../client/resources.ts'
import type { Upgrade, UpgradeRequest } from '../server/upgrade.ts'
import { findHostPod } from '../sync/host-pod.ts'
import { createScrub } from '../sync/scrub.ts'
import { containerOf, type SyncedLogsOptions } from './synced-logs.ts'

const streams = ['stderr', 'stdin', 'stdout', 'tty']
const passedOn: Readonly<Record<string, readonly string[]>> = {
  attach: streams,
  exec: ['command', ...streams],
  portforward: ['ports'],
}

// The credentials of a user of this plane mean nothing on the host, and must not be seen there.
const headersPassedOn = [
  'sec-websocket-key',
  'sec-websocket-version',
  'upgrade',
  'user-agent',
  'x-stream-protocol-version',
]
const headersAnswered = [
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'upgrade',
  'x-stream-protocol-version',
]

/** For the plane's `upgrade`. */
export function answerSyncedUpgrades(options: SyncedLogsOptions): Upgrade {
  return async (asked) => {
    const { route, request } = asked
    const { host, hostNamespace, planeUid } = options
    const { namespace, name, subresource } = route
    const virtual = options.virtual()
    if (passedOn[subresource] === undefined || virtual === undefined || !canUpgrade(host)) {
      throw notOffered(`pods/${subresource}`)
    }
    const { signal } = request
    const pod = await virtual.get(pods, { namespace, name }, { signal })
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name)
    const container =
      subresource === 'portforward' ? undefined : containerOf(pod, asked.query.get('container') ?? '')
    const copy = await findHostPod(pod, { host, hostNamespace, planeUid, signal })
    if (copy === undefined) throw badRequest(`pod ${name} is not on the host`)
    const path = `/api/v1/namespaces/${hostNamespace}/pods/${copy.metadata.name}/${subresource}`
    const answer = await host.upgrade({
      method: request.method === 'POST' ? 'POST' : 'GET',
      path: `${path}?${queryOf(asked, container)}`,
      headers: headersOf(asked),
      signal,
    })
    if (answer.socket !== undefined) {
      asked.socket.write(headOf(answer.response.headers))
      tie(asked, { socket: answer.socket, head: answer.head })
      return
    }
    const code = answer.response.statusCode ?? 502
    if (code === 403) throw missingRight(subresource)
    const error = failureOf({ code, text: await textOf(answer.response) })
    const scrub = createScrub({ planeUid, hostNamespace }, namespace, [{ kind: 'Pod', name }])
    const { details: _, ...status } = error.status
    throw new ApiError({ ...status, message: scrub(error.message) }, { cause: error })
  }
}

function queryOf({ route, query }: UpgradeRequest, container: string | undefined): string {
  const wanted = new URLSearchParams(container === undefined ? {} : { container })
  for (const field of passedOn[route.subresource] ?? []) {
    for (const value of query.getAll(field)) wanted.append(field, value)
  }
  return wanted.toString()
}

function headersOf({ request: { headers } }: UpgradeRequest): Record<string, string> {
  const kept = headersPassedOn.flatMap((name) => {
    const value = headers.get(name)
    return value === undefined ? [] : [[name, headers.all(name).join(', ')] as const]
  })
  const protocols = headers
    .all('sec-websocket-protocol')
    .flatMap((line) => line.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '' && !one.startsWith('base64url.bearer.'))
  return {
    ...Object.fromEntries(kept),
    connection: 'Upgrade',
    ...(protocols.length === 0 ? {} : { 'sec-websocket-protocol': protocols.join(', ') }),
  }
}

function headOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const lines = headersAnswered.flatMap((name) => {
    const value = headers[name]
    return value === undefined ? [] : [`${name}: ${String(value)}\r\n`]
  })
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${lines.join('')}\r\n`
}

interface End {
  readonly socket: Duplex
  readonly head?: Buffer | undefined
}

/** What one says the other hears; when one goes, so does the other, once it has heard all. */
function tie(one: End, other: End): void {
  if (other.head !== undefined && other.head.length > 0) one.socket.write(other.head)
  if (one.head !== undefined && one.head.length > 0) other.socket.write(one.head)
  for (const [from, to] of [
    [one.socket, other.socket],
    [other.socket, one.socket],
  ] as const) {
    from.on('error', () => to.destroy())
    from.once('close', () => {
      if (to.writable) to.end(() => to.destroy())
      else if (to.writableFinished) to.destroy()
    })
    from.pipe(to)
  }
}

const canUpgrade = (client: Client): client is HttpClient => 'upgrade' in client

const missingRight = (subresource: string): ApiError =>
  new ApiError({
    code: 403,
    reason: 'Forbidden',
    message: `the host does not let this plane get and create pods/${subresource}: its Role lacks the interactive rights`,
  })

const notOffered = (what: string): ApiError =>
  new ApiError({ code: 501, reason: 'NotImplemented', message: `${what} is not offered by this plane yet` })
