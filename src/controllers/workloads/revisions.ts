// The past templates of a workload, kept as ControllerRevisions: what kubectl rollout history and undo read. Pure.
// Upstream: pkg/controller/history. Reading and writing them is the workload's controller's.

import type { ControllerRevision, ObjectMeta, PodTemplateSpec } from '../../api/models.ts'
import type { LabelSelectorObject } from '../../api/select.ts'
import { isSame } from '../../api/value.ts'
import { controllerReference, type OwnerKind } from './owners.ts'
import { normalised, shortHash } from './template-hash.ts'

/** A workload that makes pods from a template. */
interface Templated {
  readonly metadata: ObjectMeta
  readonly spec?: { readonly template: PodTemplateSpec; readonly selector: LabelSelectorObject } | undefined
  readonly status?: { readonly collisionCount?: number | undefined } | undefined
}

export interface RevisionPlan {
  /** The revision of the present template: one that is there, one that must be raised, or one to be made. */
  readonly update: ControllerRevision
  readonly change: 'none' | 'create' | 'raise'
}

/** `known` are the workload's revisions; each carries its hash as a label of that name. */
export function planRevision(
  owner: Templated,
  ownerKind: OwnerKind,
  known: readonly ControllerRevision[],
  hashLabel = 'controller.kubernetes.io/hash',
): RevisionPlan {
  const sorted = [...known].sort(byRevision)
  const next = (sorted.at(-1)?.revision ?? 0) + 1
  const wanted = newRevision(owner, ownerKind, { revision: next, hashLabel })
  const equal = sorted.filter((revision) => isSameData(revision, wanted))
  const [same] = equal.slice(-1)
  if (same === undefined) return { update: wanted, change: 'create' }
  if (same === sorted.at(-1)) return { update: same, change: 'none' }
  // The template went back to an earlier one: that becomes the newest again.
  return { update: { ...same, revision: next }, change: 'raise' }
}

export function byRevision(left: ControllerRevision, right: ControllerRevision): number {
  return left.revision - right.revision || ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1)
}

export function isSameData(left: ControllerRevision, right: ControllerRevision): boolean {
  return isSame(normalised(left.data), normalised(right.data))
}

function newRevision(
  owner: Templated,
  ownerKind: OwnerKind,
  { revision, hashLabel }: { readonly revision: number; readonly hashLabel: string },
): ControllerRevision {
  const { template, selector } = owner.spec ?? { template: {}, selector: {} }
  // A strategic merge patch of the whole workload; the directive makes the template replace what is there.
  const data = { spec: { template: { ...template, $patch: 'replace' } } }
  const hash = shortHash(data, owner.status?.collisionCount)
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.metadata.name}-${hash}`,
      namespace: owner.metadata.namespace,
      labels: { ...template.metadata?.labels, ...selector.matchLabels, [hashLabel]: hash },
      annotations: owner.metadata.annotations ?? {},
      ownerReferences: [controllerReference(ownerKind, owner)],
    },
    data,
    revision,
  }
}

/** The template that a revision holds. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const spec = data?.['spec'] as
    | { readonly template?: PodTemplateSpec & { readonly $patch?: string } }
    | undefined
  const { $patch: _, ...template } = spec?.template ?? {}
  return template
}

/** The oldest beyond the limit that nothing uses. */
export function revisionsToForget(
  known: readonly ControllerRevision[],
  used: ReadonlySet<string | undefined>,
  limit: number,
): readonly ControllerRevision[] {
  const unused = [...known].sort(byRevision).filter(({ metadata }) => !used.has(metadata.name))
  return unused.slice(0, Math.max(0, unused.length - limit))
}
