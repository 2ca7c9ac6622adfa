// pods/binding: gives a pod to a node. Only one that has none can be bound.
// Upstream: pkg/registry/core/pod/storage (BindingREST.assignPod).

import type { Answer } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, conflict, notFound, type Status } from '../../api/status.ts'
import { formatTime } from '../../api/time.ts'
import { requireBody } from '../objects/check.ts'
import { writeChange } from '../objects/write.ts'
import { named, type Spine, type Target } from '../spine.ts'

type Binding = KubeObject & { readonly target?: { readonly kind?: string; readonly name?: string } }

export async function bindPod(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const binding = requireBody(target) as Binding
  const node = binding.target?.name ?? ''
  if (node === '') throw badRequest('target.name: Required value')
  const bound = { ...target, call: { ...call, verb: 'update' as const }, subresource: bindingWrite }
  await writeChange(spine, bound, {
    change: (old) => {
      if (old === undefined) throw notFound(named(kind), call.name)
      const { uid } = binding.metadata
      if (uid !== undefined && uid !== '' && uid !== old.header.uid) {
        throw conflict(
          named(kind),
          call.name,
          `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.header.uid}`,
        )
      }
      return assign(old.object, node, {
        kind: named(kind),
        name: call.name,
        now: formatTime(spine.clock.now()),
        binding,
      })
    },
  })
  const status: Status = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', code: 201 }
  return { type: 'status', code: 201, status, warnings: target.warnings }
}

/** The whole pod is written: the spine's update rules do not apply to a binding. */
const bindingWrite = { name: 'binding', verbs: ['create'], merge: (next: KubeObject) => next } as const

interface Assignment {
  readonly kind: { group: string; resource: string }
  readonly name: string
  readonly now: string
  readonly binding: Binding
}

function assign(pod: KubeObject, node: string, { kind, name, now, binding }: Assignment): KubeObject {
  const spec = pod['spec'] as { nodeName?: string }
  if (pod.metadata.deletionTimestamp !== undefined)
    throw conflict(kind, name, `pod ${name} is being deleted, cannot be assigned to a host`)
  if (spec.nodeName !== undefined && spec.nodeName !== '') {
    throw conflict(kind, name, `pod ${name} is already assigned to node "${spec.nodeName}"`)
  }
  const status = (pod['status'] ?? {}) as { conditions?: readonly { type: string }[] }
  const others = (status.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled')
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now }
  const { resourceVersion: _, ...metadata } = pod.metadata
  return {
    ...pod,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...binding.metadata.annotations } },
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  }
}
