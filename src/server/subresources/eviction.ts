// pods/eviction: a delete that asks the disruption budgets first. No budgets are served yet, so it is a delete.
// Upstream: pkg/registry/core/pod/storage/eviction.go.

import type { Answer } from '../../api/contracts.ts'
import { badRequest, type Status } from '../../api/status.ts'
import { requireBody } from '../objects/check.ts'
import { deleteObject } from '../objects/delete.ts'
import type { Spine, Target } from '../spine.ts'

type DeleteOptions = {
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: readonly string[]
}

export async function evictPod(spine: Spine, target: Target): Promise<Answer> {
  const eviction = requireBody(target)
  const { call } = target
  if (eviction.metadata?.name !== undefined && eviction.metadata.name !== call.name) {
    throw badRequest('name in URL does not match name in Eviction object')
  }
  const asked = (eviction['deleteOptions'] ?? {}) as DeleteOptions
  const options = {
    ...call.options,
    dryRun: call.options.dryRun === true || asked.dryRun?.includes('All') === true,
    gracePeriodSeconds: asked.gracePeriodSeconds,
    preconditions: asked.preconditions,
  }
  await deleteObject(spine, {
    ...target,
    subresource: undefined,
    call: { ...call, verb: 'delete', subresource: '', options },
  })
  const status: Status = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', code: 201 }
  return { type: 'status', code: 201, status, warnings: target.warnings }
}
