// What kstatus leaves out and people wait for: jobs until they end, published services, images that cannot be pulled.
// Judged on top of kstatus; a custom health rule for a kind goes before both.

import type { KubeObject } from '../../api/object.ts'
import { parseApiVersion } from '../../api/object.ts'
import { conditionsOf, field, listAt, textAt } from './fields.ts'
import { type ComputeOptions, compute } from './kstatus.ts'
import { failed, inProgress, type Verdict } from './verdict.ts'

const pullErrors: readonly string[] = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
]
/** A registry may be slow or briefly away: before this a pull error is no verdict. */
const pullGraceMs = 60_000

/** As `compute`, and stricter where kstatus says current too early. */
export function judge(object: KubeObject, options: ComputeOptions): Verdict {
  const verdict = compute(object, options)
  const { group } = parseApiVersion(object.apiVersion ?? '')
  switch (`${group}/${object.kind}`) {
    case 'batch/Job':
      return verdict.status === 'Current' ? judgeJob(object, verdict) : verdict
    case '/Service':
      return verdict.status === 'Current' ? judgeService(object, verdict) : verdict
    case '/Pod':
      return verdict.status === 'InProgress' ? judgePull(object, verdict, options.nowMs) : verdict
    case 'apiregistration.k8s.io/APIService':
      return verdict.status === 'Current' ? judgeApiService(object, verdict) : verdict
    default:
      return verdict
  }
}

function judgeJob(object: KubeObject, verdict: Verdict): Verdict {
  const hasEnded = conditionsOf(object).some(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Suspended'),
  )
  return hasEnded || field(object, 'spec', 'suspend') === true
    ? verdict
    : inProgress('JobRunning', 'the job has not completed')
}

function judgeService(object: KubeObject, verdict: Verdict): Verdict {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return verdict
  if (listAt(object, 'status', 'loadBalancer', 'ingress').length > 0) return verdict
  return inProgress('NoIngress', 'the load balancer has no address')
}

function judgePull(object: KubeObject, verdict: Verdict, nowMs: number): Verdict {
  const containers = [
    ...listAt(object, 'status', 'initContainerStatuses'),
    ...listAt(object, 'status', 'containerStatuses'),
  ]
  const stuck = containers.find((container) =>
    pullErrors.includes(textAt(container, 'state', 'waiting', 'reason')),
  )
  if (stuck === undefined) return verdict
  const reason = textAt(stuck, 'state', 'waiting', 'reason')
  const message = `container ${textAt(stuck, 'name')}: ${textAt(stuck, 'state', 'waiting', 'message') || `cannot pull ${textAt(stuck, 'image')}`}`
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? '')
  return nowMs - createdMs < pullGraceMs ? inProgress(reason, message) : failed(reason, message)
}

function judgeApiService(object: KubeObject, verdict: Verdict): Verdict {
  const available = conditionsOf(object).find(({ type }) => type === 'Available')
  if (available?.status === 'True') return verdict
  return inProgress(
    available?.reason || 'NotAvailable',
    available?.message || 'the API service is not available',
  )
}
