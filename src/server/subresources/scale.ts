// /scale: autoscaling/v1 Scale over any kind that says where its replica counts are.
// Built-in kinds and CRDs give their paths the same way (kinds/kind.ts ScalePaths).

import type { Answer } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import { fieldInvalid, invalid, methodNotAllowed, notFound } from '../../api/status.ts'
import { StoredObject } from '../../api/stored.ts'
import type { ScalePaths } from '../../kinds/kind.ts'
import { patchSubmitted } from '../objects/change.ts'
import { requireBody } from '../objects/check.ts'
import { writeChange } from '../objects/write.ts'
import { named, type Spine, type Target } from '../spine.ts'
import { readPath, writePath } from './path.ts'

const served = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  listKind: 'ScaleList',
  plural: 'scales',
} as const

export async function scaleCall(spine: Spine, target: Target, paths: ScalePaths): Promise<Answer> {
  const { call, kind } = target
  if (call.verb === 'get') {
    const stored = spine.catalog.get(kind, call.namespace, call.name)
    if (stored === undefined) throw notFound(named(kind), call.name)
    return { type: 'object', code: 200, served, object: scaleOf(stored.object, paths) }
  }
  if (call.verb !== 'update' && call.verb !== 'patch') throw methodNotAllowed(named(kind), call.verb)
  const answer = await writeChange(
    spine,
    { ...target, subresource: undefined },
    {
      change: (old) => {
        if (old === undefined) throw notFound(named(kind), call.name)
        const scale = call.verb === 'update' ? requireBody(target) : patchScale(target, old, paths)
        return withReplicas(target, old.object, scale, paths)
      },
    },
  )
  if (answer.type !== 'object') return answer
  const object = answer.object instanceof StoredObject ? answer.object.object : answer.object
  return { ...answer, served, object: scaleOf(object, paths) }
}

function scaleOf(object: KubeObject, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = paths.labelSelector === undefined ? undefined : readPath(object, paths.labelSelector)
  const status = {
    replicas: Number(readPath(object, paths.statusReplicas) ?? 0),
    ...(selector === undefined ? {} : { selector: selectorText(selector) }),
  }
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(readPath(object, paths.specReplicas) ?? 0) },
    status,
  }
}

/** A selector as the text that HorizontalPodAutoscaler parses. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  if (typeof selector !== 'object' || selector === null) return ''
  const { matchLabels, matchExpressions } = selector as {
    matchLabels?: Record<string, string>
    matchExpressions?: { key: string; operator: string; values?: string[] }[]
  }
  const isPlainMap = matchLabels === undefined && matchExpressions === undefined
  const labels = Object.entries(isPlainMap ? (selector as Record<string, string>) : (matchLabels ?? {}))
  const parts = labels.map(([key, value]) => `${key}=${value}`)
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key)
    else if (operator === 'DoesNotExist') parts.push(`!${key}`)
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`)
  }
  return parts.sort().join(',')
}

function patchScale(target: Target, old: StoredObject, paths: ScalePaths): KubeObject {
  const scale = scaleOf(old.object, paths)
  const asStored = { object: scale } as unknown as StoredObject
  // Scale has no lists: a strategic patch of it is a merge patch.
  const { patch } = target.call
  const call =
    patch?.type === 'strategic'
      ? { ...target.call, patch: { ...patch, type: 'merge' as const } }
      : target.call
  return patchSubmitted({ ...target, call }, asStored)
}

function withReplicas(
  { kind, call }: Target,
  old: KubeObject,
  scale: KubeObject,
  paths: ScalePaths,
): KubeObject {
  const replicas = (scale['spec'] as { replicas?: unknown } | undefined)?.replicas ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, call.name, [
      fieldInvalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  }
  const next = writePath(old, paths.specReplicas, replicas)
  const { resourceVersion: _, ...metadata } = next.metadata
  const asked = scale.metadata.resourceVersion
  // A scale names the revision of its object only when the client sent one.
  const isClaim =
    asked !== undefined && asked !== '' && (call.verb === 'update' || asked !== old.metadata.resourceVersion)
  return { ...next, kind: kind.kind, metadata: isClaim ? { ...metadata, resourceVersion: asked } : metadata }
}
