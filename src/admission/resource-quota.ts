// ResourceQuota: what a namespace may use is counted from what is stored and what is on its way there.
// Upstream: apiserver/pkg/admission/plugin/resourcequota. The status of a quota is a controller's.

import type { AdmissionPlugin, AdmissionRequest, Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { type Amounts, addAmounts } from '../api/usage/pod-resources.ts'
import {
  type CountedResource,
  covers,
  excess,
  growth,
  masked,
  missing,
  type Quota,
  readQuota,
  usageOf,
} from '../api/usage/quota.ts'
import type { Clock } from '../platform/clock.ts'
import { refuse } from './refuse.ts'

/** How long an admitted object counts before it is seen in the store: longer than any write takes. */
const underWayMs = 10_000
const underWayMax = 10_000

interface UnderWay {
  readonly namespace: string
  readonly resource: CountedResource
  readonly object: KubeObject
  readonly untilMs: number
}

export function resourceQuota({
  reader,
  clock,
}: {
  readonly reader: Reader
  readonly clock: Clock
}): AdmissionPlugin {
  const underWay = new Map<string, UnderWay>()
  const current = (namespace: string): readonly UnderWay[] => {
    for (const [key, { untilMs }] of underWay) if (untilMs <= clock.monotonic()) underWay.delete(key)
    return [...underWay.values()].filter((one) => one.namespace === namespace)
  }
  return {
    name: 'ResourceQuota',
    validate: async (request) => {
      const { object, operation, namespace, subresource } = request
      if (operation === 'DELETE' && subresource === '') underWay.delete(keyOf(request))
      const isCounted = operation === 'CREATE' || operation === 'UPDATE'
      if (!isCounted || object === undefined || namespace === '' || !['', 'resize'].includes(subresource))
        return
      const quotas = reader.list({ group: '', resource: 'resourcequotas' }, namespace)
      if (quotas.length === 0) return
      for (const quota of quotas)
        judge(reader, request, { quota: readQuota(quota.object), object, underWay: current(namespace) })
      if (operation !== 'CREATE' || request.isDryRun || underWay.size >= underWayMax) return
      const untilMs = clock.monotonic() + underWayMs
      underWay.set(keyOf(request), { namespace, resource: request.resource, object, untilMs })
    },
  }
}

const keyOf = ({ resource, namespace, name, object }: AdmissionRequest): string =>
  `${resource.group}/${resource.resource}/${namespace}/${object?.metadata.name ?? name}`

interface Judged {
  readonly quota: Quota
  readonly object: KubeObject
  readonly underWay: readonly UnderWay[]
}

function judge(reader: Reader, request: AdmissionRequest, { quota, object, underWay }: Judged): void {
  const { resource, old } = request
  if (!covers(quota, resource, object)) return
  const before = old === undefined || !covers(quota, resource, old) ? {} : usageOf(resource, old)
  const asked = masked(growth(usageOf(resource, object), before), quota.hard)
  if (Object.keys(asked).length === 0 && !isNewPod(request)) return
  const problem =
    (isNewPod(request) ? missing(quota, object) : undefined) ??
    excess(quota, asked, usedIn(reader, request, { quota, object, underWay }))
  if (problem !== undefined) throw refuse(request, problem)
}

const isNewPod = ({ resource, operation }: AdmissionRequest): boolean =>
  operation === 'CREATE' && resource.group === '' && resource.resource === 'pods'

function usedIn(
  reader: Reader,
  { resource, namespace }: AdmissionRequest,
  { quota, object, underWay }: Judged,
): Amounts {
  const stored = reader.list(resource, namespace)
  const seen = new Set(stored.map(({ header }) => header.name))
  const coming = underWay
    .filter((one) => one.resource.group === resource.group && one.resource.resource === resource.resource)
    .map((one) => one.object)
    .filter(({ metadata }) => !seen.has(metadata.name ?? '') && metadata.name !== object.metadata.name)
  return [...stored.map((one) => one.object), ...coming]
    .filter((one) => covers(quota, resource, one))
    .map((one) => usageOf(resource, one))
    .reduce(addAmounts, {})
}
