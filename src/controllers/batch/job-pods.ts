// What a job asks about its pods, and the pods it makes. Pure.
// Upstream: pkg/controller/job, tracking_utils.go and indexed_job_utils.go.

import type { Container, Job, Pod, PodTemplateSpec } from '../../api/models.ts'
import { controllerReference } from '../workloads/owners.ts'
import { podOf, readyCondition } from '../workloads/pods.ts'
import { matchFailurePolicy } from './job-policies.ts'

/** Keeps a pod until its end was counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const jobKind = { apiVersion: 'batch/v1', kind: 'Job' }

const indexName = 'batch.kubernetes.io/job-completion-index'
const failuresName = 'batch.kubernetes.io/job-index-failure-count'
const ignoredFailuresName = 'batch.kubernetes.io/job-index-ignored-failure-count'
const generatedNameMax = 58

export const isIndexed = ({ spec }: Job): boolean => spec?.completionMode === 'Indexed'
export const isSuspended = ({ spec }: Job): boolean => spec?.suspend === true
export const hasLimitPerIndex = (job: Job): boolean =>
  isIndexed(job) && job.spec?.backoffLimitPerIndex !== undefined

export function isJobFinished({ status }: Job): boolean {
  return finishedCondition(status?.conditions) !== undefined
}

export function finishedCondition<C extends { readonly type: string; readonly status: string }>(
  conditions: readonly C[] | undefined,
): C | undefined {
  return conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
}

/** Another controller runs it. */
export function isManagedElsewhere({ spec }: Job): boolean {
  return spec?.managedBy !== undefined && spec.managedBy !== 'kubernetes.io/job-controller'
}

/** A pod on its way out is replaced only when it has failed. */
export function replacesFailedOnly({ spec }: Job): boolean {
  return spec?.podReplacementPolicy === 'Failed' || spec?.podFailurePolicy !== undefined
}

/** Pods that are deleted before their end count as failed: nobody would ever say so of a lost one. */
export function hasFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesFailedOnly(job)) return false
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded'
}

export function hasTrackingFinalizer({ metadata }: { readonly metadata: Pod['metadata'] }): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) === true
}

/** The index that a pod works on, when it has a valid one. */
export function completionIndex({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexName] ?? ''
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}

/** The index, when the job still wants it done. */
export function wantedIndex(pod: Pod, { spec }: Job): number | undefined {
  const index = completionIndex(pod)
  return index !== undefined && index < (spec?.completions ?? 0) ? index : undefined
}

/** How often the index failed before this pod, as far as it counts. */
export function indexFailures(pod: Pod): number {
  return countOf(pod, failuresName)
}

export function allIndexFailures(pod: Pod): number {
  return countOf(pod, failuresName) + countOf(pod, ignoredFailuresName)
}

function countOf({ metadata }: Pod, name: string): number {
  const text = metadata.annotations?.[name] ?? '0'
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : 0
}

/** When a pod ended, as well as that can be told. */
export function finishedAtMs(pod: Pod): number {
  const { metadata, status, spec } = pod
  const sidecars = new Set(
    spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  )
  const statuses = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ]
  const ends = statuses.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  if (ends.length > 0 && ends.every((end) => !Number.isNaN(end))) return Math.max(...ends)
  const ready = readyCondition(pod)
  const unreadyMs = ready?.status === 'False' ? Date.parse(ready.lastTransitionTime ?? '') : Number.NaN
  if (!Number.isNaN(unreadyMs)) return unreadyMs
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata
  if (deletionTimestamp !== undefined)
    return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  return Date.parse(creationTimestamp ?? '')
}

/** A new pod. `replaced` is the failed pod of the same index whose failures it goes on counting. */
export function jobPod(job: Job, index: number | undefined, replaced: Pod | undefined): Pod {
  const { namespace, name = '' } = job.metadata
  const owner = controllerReference(jobKind, job)
  const template = withTracking(job.spec?.template ?? {})
  if (index === undefined) return podOf(template, { namespace, owner, generateName: `${name}-` })
  const suffix = `-${index}-`
  const generateName = `${name.slice(0, generatedNameMax - suffix.length)}${suffix}`
  return podOf(indexed(template, job, { index, replaced }), { namespace, owner, generateName })
}

function withTracking(template: PodTemplateSpec): PodTemplateSpec {
  const { finalizers = [] } = template.metadata ?? {}
  const others = finalizers.filter((one) => one !== trackingFinalizer)
  return { ...template, metadata: { ...template.metadata, finalizers: [...others, trackingFinalizer] } }
}

function indexed(
  template: PodTemplateSpec,
  job: Job,
  { index, replaced }: { readonly index: number; readonly replaced: Pod | undefined },
): PodTemplateSpec {
  const { metadata, spec } = template
  return {
    metadata: {
      ...metadata,
      labels: { ...metadata?.labels, [indexName]: String(index) },
      annotations: {
        ...metadata?.annotations,
        [indexName]: String(index),
        ...(hasLimitPerIndex(job) ? failureCounts(job, replaced) : {}),
      },
    },
    ...(spec === undefined
      ? {}
      : {
          spec: {
            ...spec,
            hostname: `${job.metadata.name}-${index}`,
            containers: spec.containers.map(withIndexVariable),
            ...(spec.initContainers === undefined
              ? {}
              : { initContainers: spec.initContainers.map(withIndexVariable) }),
          },
        }),
  }
}

const indexVariable = 'JOB_COMPLETION_INDEX'

function withIndexVariable(container: Container): Container {
  const { env = [] } = container
  if (env.some(({ name }) => name === indexVariable)) return container
  const fieldPath = `metadata.labels['${indexName}']`
  return { ...container, env: [...env, { name: indexVariable, valueFrom: { fieldRef: { fieldPath } } }] }
}

function failureCounts(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (replaced === undefined) return { [failuresName]: '0' }
  const isCounted = matchFailurePolicy(job.spec?.podFailurePolicy, replaced).isCounted
  const counted = indexFailures(replaced) + (isCounted ? 1 : 0)
  const ignored = countOf(replaced, ignoredFailuresName) + (isCounted ? 0 : 1)
  return {
    [failuresName]: String(counted),
    ...(ignored > 0 ? { [ignoredFailuresName]: String(ignored) } : {}),
  }
}
