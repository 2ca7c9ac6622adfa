// Which ReplicaSet is the deployment's current one, how a new one looks, and which old ones may go. Pure.
// Upstream: pkg/controller/deployment/util and sync.go. How large they are is rollout.ts's.

import type { Deployment, ReplicaSet } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { controllerReference } from './owners.ts'
import {
  desiredReplicas,
  fencesOf,
  maxReplicas,
  nextCurrentSize,
  oldestFirst,
  type Sets,
  sizeOf,
  wantedOf,
} from './rollout.ts'
import { normalised, shortHash } from './template-hash.ts'

export const deploymentKind = { apiVersion: 'apps/v1', kind: 'Deployment' }
export const hashLabel = 'pod-template-hash'
export const revisionAnnotation = 'deployment.kubernetes.io/revision'
const historyAnnotation = 'deployment.kubernetes.io/revision-history'
const historyLengthMax = 2_000
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** Annotations of the deployment that its sets do not take over. */
const ownAnnotations = new Set([
  lastAppliedAnnotation,
  revisionAnnotation,
  historyAnnotation,
  desiredReplicas,
  maxReplicas,
  'deprecated.deployment.rollback.to',
])

/** The oldest set with the deployment's template is the current one; several can only come from adoption. */
export function sortSets(deployment: Deployment, sets: readonly ReplicaSet[]): Sets {
  const sorted = [...sets].sort(oldestFirst)
  const current = sorted.find((set) => hasTemplateOf(set, deployment))
  return { current, old: sorted.filter((set) => set !== current) }
}

export function hasTemplateOf(set: ReplicaSet, deployment: Deployment): boolean {
  return isSame(withoutHash(set.spec?.template), withoutHash(deployment.spec?.template))
}

function withoutHash(template: NonNullable<ReplicaSet['spec']>['template']): unknown {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {}
  // creationTimestamp: null is what Go clients write where nothing is.
  const { creationTimestamp: __, ...metadata } = template?.metadata ?? {}
  return normalised({ ...template, metadata: { ...metadata, labels } })
}

export function revisionOf({ metadata }: ReplicaSet): number {
  const text = metadata.annotations?.[revisionAnnotation] ?? '0'
  return /^\d+$/.test(text) ? Number(text) : 0
}

/** The revision that the current set has or gets: above all old ones. */
export function nextRevision({ old }: Sets): number {
  return Math.max(0, ...old.map(revisionOf)) + 1
}

/** The new current set of a deployment, at the size that the others leave it. */
export function newSet(deployment: Deployment, sets: Sets): ReplicaSet {
  const { name = '', namespace, labels: _ } = deployment.metadata
  const { selector, template, minReadySeconds } = deployment.spec ?? { selector: {}, template: {} }
  const hash = shortHash(withoutHash(template), deployment.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const replicas = nextCurrentSize(deployment, sets)
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...setAnnotations(deployment, undefined, nextRevision(sets)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deploymentKind, deployment)],
    },
    spec: {
      replicas,
      minReadySeconds: minReadySeconds ?? 0,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** What the current set has to say of its deployment; the same set when it says it already. */
export function refreshedSet(
  deployment: Deployment,
  sets: Sets & { readonly current: ReplicaSet },
): ReplicaSet {
  const { current } = sets
  const annotations = setAnnotations(deployment, current, nextRevision(sets))
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0
  const isFresh = isSame(annotations, current.metadata.annotations ?? {})
  if (isFresh && minReadySeconds === (current.spec?.minReadySeconds ?? 0)) return current
  return withSpec({ ...current, metadata: { ...current.metadata, annotations } }, { minReadySeconds })
}

/** A set of another size; the same set when neither its size nor what it says of the deployment's changes. */
export function resizedSet(deployment: Deployment, set: ReplicaSet, to: number): ReplicaSet {
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) }
  if (sizeOf(set) === to && isSame(annotations, set.metadata.annotations)) return set
  return withSpec({ ...set, metadata: { ...set.metadata, annotations } }, { replicas: to })
}

function withSpec(
  set: ReplicaSet,
  change: { readonly replicas?: number; readonly minReadySeconds?: number },
): ReplicaSet {
  return { ...set, spec: { selector: {}, ...set.spec, ...change } }
}

function setAnnotations(
  { metadata }: Deployment,
  set: ReplicaSet | undefined,
  revision: number,
): Readonly<Record<string, string>> {
  const inherited = Object.entries(metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name))
  const present = set?.metadata.annotations ?? {}
  const next = { ...present, ...Object.fromEntries(inherited) }
  const known = set === undefined ? 0 : revisionOf(set)
  if (known >= revision) return next
  const history = present[historyAnnotation]
  const past = known === 0 ? undefined : history === undefined ? String(known) : `${history},${known}`
  return {
    ...next,
    [revisionAnnotation]: String(revision),
    ...(past === undefined ? {} : { [historyAnnotation]: shortened(past) }),
  }
}

/** The oldest revisions are forgotten. */
function shortened(history: string): string {
  let text = history
  while (text.length > historyLengthMax) text = text.slice(text.indexOf(',') + 1)
  return text
}

function sizeAnnotations(deployment: Deployment): Readonly<Record<string, string>> {
  const wanted = wantedOf(deployment)
  return {
    [desiredReplicas]: String(wanted),
    [maxReplicas]: String(wanted + fencesOf(deployment).surge),
  }
}

const unlimited = 2 ** 31 - 1

/** Old sets beyond the history limit that are empty in word and deed. */
export function setsToForget(deployment: Deployment, { old }: Sets): readonly ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10
  if (limit === unlimited) return []
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const byRevision = [...alive].sort(
    (left, right) => revisionOf(left) - revisionOf(right) || oldestFirst(left, right),
  )
  return byRevision.slice(0, Math.max(0, alive.length - limit)).filter(isEmpty)
}

function isEmpty({ metadata, spec, status }: ReplicaSet): boolean {
  if ((spec?.replicas ?? 1) !== 0 || (status?.replicas ?? 0) !== 0) return false
  return (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0)
}

/** The deployment got another size since its sets were sized. */
export function isResized(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets
    .filter((set) => sizeOf(set) > 0)
    .some((set) => {
      const desired = set.metadata.annotations?.[desiredReplicas]
      return desired !== undefined && desired !== String(wantedOf(deployment))
    })
}
