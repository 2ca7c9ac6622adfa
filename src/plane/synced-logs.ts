// Answers `kubectl logs` in a plane whose pods run on a host: proved to be the copy of this very pod, then passed on.
// Upstream: pkg/registry/core/pod/rest/log.go. exec, attach and port-forward are synced-upgrades.ts's.

import type { Pod } from '../api/models.ts'
import { ApiError, badRequest, notFound } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import type { HttpClient } from '../client/http.ts'
import { pods } from '../client/resources.ts'
import type { ConnectRequest } from '../server/edge.ts'
import type { HttpResponse } from '../server/http/exchange.ts'
import { findHostPod } from '../sync/host-pod.ts'
import { createScrub } from '../sync/scrub.ts'

export interface SyncedLogsOptions {
  readonly host: Client
  readonly hostNamespace: string
  readonly planeUid: string
  /** Reads the plane; undefined while it opens. */
  readonly virtual: () => Client | undefined
}

const passedOn = [
  'follow',
  'insecureSkipTLSVerifyBackend',
  'limitBytes',
  'previous',
  'sinceSeconds',
  'sinceTime',
  'stream',
  'tailLines',
  'timestamps',
]

/** For the plane's `connect`. Whether the user may read the log was decided before. */
export function answerSyncedLogs(
  options: SyncedLogsOptions,
): (asked: ConnectRequest) => Promise<HttpResponse> {
  return async ({ request, route, query }) => {
    const { host, hostNamespace, planeUid, virtual: open } = options
    if (route.resource !== 'pods' || route.subresource !== 'log') {
      throw notOffered(`${route.resource}/${route.subresource}`)
    }
    const virtual = open()
    if (virtual === undefined || !canStream(host)) throw notOffered('pods/log')
    const signal = AbortSignal.any([request.signal, request.closing])
    const { namespace, name } = route
    const pod = await virtual.get(pods, { namespace, name }, { signal })
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name)
    const container = containerOf(pod, query.get('container') ?? '')
    const copy = await findHostPod(pod, { host, hostNamespace, planeUid, signal })
    if (copy === undefined) throw badRequest(`pod ${name} is not on the host`)
    const wanted = passedOn.flatMap((field) => {
      const value = query.get(field)
      return value === null ? [] : [[field, value] as const]
    })
    try {
      const body = await host.stream({
        method: 'GET',
        path: `/api/v1/namespaces/${hostNamespace}/pods/${copy.metadata.name}/log`,
        query: { container, ...Object.fromEntries(wanted) },
        signal,
      })
      return { status: 200, headers: { 'content-type': 'text/plain' }, isStream: true, body }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const scrub = createScrub({ planeUid, hostNamespace }, namespace, [{ kind: 'Pod', name }])
      const { details: _, ...status } = error.status
      throw new ApiError({ ...status, message: scrub(error.message) }, { cause: error })
    }
  }
}

/** One of the tenant's own: what the host put into the pod is not shown. */
export function containerOf({ metadata, spec }: Pod, asked: string): string {
  const names = (containers: readonly { readonly name: string }[] | undefined) =>
    (containers ?? []).map(({ name }) => name)
  const main = names(spec?.containers)
  const all = [...names(spec?.initContainers), ...main]
  if (asked !== '') {
    if (all.includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`)
  }
  const [only] = main
  if (only !== undefined && main.length === 1) return only
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: [${main.join(' ')}]`,
  )
}

const canStream = (client: Client): client is HttpClient => 'stream' in client

const notOffered = (what: string): ApiError =>
  new ApiError({ code: 501, reason: 'NotImplemented', message: `${what} is not offered by this plane yet` })
