// What a namespace that is being deleted says of itself: five conditions, in upstream's words.
// Upstream: pkg/controller/namespace/deletion/status_condition_utils.go.

import type { NamespaceCondition, NamespaceStatus } from '../../api/models.ts'
import { withCondition } from '../conditions.ts'
import type { ServedResource } from '../context.ts'

/** What is left of one resource, and the finalizers that hold it, one entry an object. */
export interface Remaining {
  readonly served: ServedResource
  readonly count: number
  readonly finalizers: readonly string[]
}

interface Report {
  readonly remaining: readonly Remaining[]
  readonly failures: readonly string[]
}

/** The same status when nothing changes. */
export function statusOf(status: NamespaceStatus | undefined, report: Report, now: string): NamespaceStatus {
  const before = status?.conditions ?? []
  const conditions = [
    ok('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    ok(
      'NamespaceDeletionGroupVersionParsingFailure',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    failures(report),
    remaining(report),
    finalizersRemaining(report),
  ].reduce<readonly NamespaceCondition[]>(
    (list, condition) => withCondition(list, { ...condition, lastTransitionTime: now }),
    before,
  )
  return conditions === before && status !== undefined ? status : { ...status, conditions }
}

function ok(type: string, reason: string, message: string): NamespaceCondition {
  return { type, status: 'False', reason, message }
}

function failures({ failures }: Report): NamespaceCondition {
  const type = 'NamespaceDeletionContentFailure'
  if (failures.length === 0) {
    return ok(type, 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization')
  }
  const text = failures.length === 1 ? failures[0] : `[${failures.join(', ')}]`
  const message = `Failed to delete all resource types, ${failures.length} remaining: ${text}`
  return { type, status: 'True', reason: 'ContentDeletionFailed', message }
}

function remaining({ remaining }: Report): NamespaceCondition {
  const type = 'NamespaceContentRemaining'
  if (remaining.length === 0) return ok(type, 'ContentRemoved', 'All content successfully removed')
  const texts = remaining.map(({ served, count }) => `${nameOf(served)} has ${count} resource instances`)
  const message = `Some resources are remaining: ${texts.sort().join(', ')}`
  return { type, status: 'True', reason: 'SomeResourcesRemain', message }
}

function finalizersRemaining({ remaining }: Report): NamespaceCondition {
  const type = 'NamespaceFinalizersRemaining'
  const counts = new Map<string, number>()
  for (const finalizer of remaining.flatMap(({ finalizers }) => finalizers)) {
    counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1)
  }
  if (counts.size === 0)
    return ok(type, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished')
  const texts = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
  const message = `Some content in the namespace has finalizers remaining: ${texts.sort().join(', ')}`
  return { type, status: 'True', reason: 'SomeFinalizersRemain', message }
}

// Upstream prints the group with its dot even for core: `pods.`.
function nameOf({ group, resource }: ServedResource): string {
  return `${resource}.${group}`
}
