// Ends a namespace: deletes what it holds, pods first, and lifts the `kubernetes` finalizer when nothing is left.
// Upstream: pkg/controller/namespace. What the conditions say is namespace-status.ts's.

import type { Namespace } from '../../api/models.ts'
import { ApiError } from '../../api/status.ts'
import type { AnyObject, Client, ResourceRef } from '../../client/client.ts'
import { subresourceOf } from '../../client/client.ts'
import { isNotFound } from '../../client/failures.ts'
import { namespaces } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context, ServedResource } from '../context.ts'
import { type Remaining, statusOf } from './namespace-status.ts'

const finalizer = 'kubernetes'
// Nothing tells when the last object of any kind is gone: look again, soon at first.
const lookAgainMinMs = 100
const lookAgainMaxMs = 5_000
const pageItems = 500

export function startNamespaces({ clientFor, control, informers, resources, clock }: Context): Controller {
  const client = clientFor('namespace-controller')
  const known = informers.of(namespaces)
  const looks = new Map<string, number>()
  return control({
    name: 'namespace-controller',
    sources: [fromInformer(known, ({ header }) => (header.isDeleting ? [header.name] : []))],
    workers: 4,
    reconcile: async (name, { signal }) => {
      const found = await client.get(namespaces, { name }, { signal })
      if (found?.metadata.deletionTimestamp === undefined || !holdsFinalizer(found)) {
        looks.delete(name)
        return undefined
      }
      const namespace = await markTerminating(client, found, signal)
      const report = await empty({ client, resources: contentOf(resources.list()), namespace: name, signal })
      const status = statusOf(namespace.status, report, timeOf(clock.now()))
      const updated =
        status === namespace.status
          ? namespace
          : await client.updateStatus(namespaces, { ...namespace, status }, { signal })
      if (report.remaining.length > 0 || report.failures.length > 0) {
        const look = looks.get(name) ?? 0
        looks.set(name, look + 1)
        return { requeueAfterMs: Math.min(lookAgainMaxMs, lookAgainMinMs * 2 ** look) }
      }
      await finalize(client, updated, signal)
      looks.delete(name)
      return undefined
    },
  })
}

function holdsFinalizer({ spec }: Namespace): boolean {
  return spec?.finalizers?.includes(finalizer) === true
}

async function markTerminating(
  client: Client,
  namespace: Namespace,
  signal: AbortSignal,
): Promise<Namespace> {
  if (namespace.status?.phase === 'Terminating') return namespace
  const status = { ...namespace.status, phase: 'Terminating' }
  return await client.updateStatus(namespaces, { ...namespace, status }, { signal })
}

async function finalize(client: Client, namespace: Namespace, signal: AbortSignal): Promise<void> {
  const finalizers = namespace.spec?.finalizers?.filter((one) => one !== finalizer) ?? []
  const next = { ...namespace, spec: { ...namespace.spec, finalizers } }
  try {
    await client.update(subresourceOf<Namespace>(namespaces, 'finalize'), next, { signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** One version of each namespaced resource whose objects can be listed and deleted. */
export function contentOf(served: readonly ServedResource[]): readonly ServedResource[] {
  const seen = new Set<string>()
  return served.filter(({ group, resource, isNamespaced, verbs }) => {
    const key = `${group}/${resource}`
    if (!isNamespaced || seen.has(key) || !verbs.includes('list') || !verbs.includes('delete')) return false
    seen.add(key)
    return true
  })
}

export interface ContentReport {
  readonly remaining: readonly Remaining[]
  readonly failures: readonly string[]
}

interface Emptying {
  readonly client: Client
  readonly resources: readonly ServedResource[]
  readonly namespace: string
  readonly signal: AbortSignal
}

// Pods go first, and everything they use stays until they are gone: ordered namespace deletion, KEP-5080.
async function empty(emptying: Emptying): Promise<ContentReport> {
  const isPods = ({ group, resource }: ServedResource) => group === '' && resource === 'pods'
  const pods = await emptyEach({ ...emptying, resources: emptying.resources.filter(isPods) })
  if (pods.remaining.length > 0 || pods.failures.length > 0) return pods
  return await emptyEach({ ...emptying, resources: emptying.resources.filter((one) => !isPods(one)) })
}

async function emptyEach({ client, resources, namespace, signal }: Emptying): Promise<ContentReport> {
  const remaining: Remaining[] = []
  const failures: string[] = []
  for (const served of resources) {
    signal.throwIfAborted()
    try {
      const left = await emptyOne({ client, served, namespace, signal })
      if (left.count > 0) remaining.push(left)
    } catch (error) {
      // Not served any more: there is nothing of it left to delete.
      if (isNotFound(error)) continue
      if (!(error instanceof ApiError)) throw error
      failures.push(error.message)
    }
  }
  return { remaining, failures }
}

async function emptyOne({
  client,
  served,
  namespace,
  signal,
}: {
  client: Client
  served: ServedResource
  namespace: string
  signal: AbortSignal
}): Promise<Remaining> {
  const left = await listAll(client, served, namespace, signal)
  if (left.length === 0) return { served, count: 0, finalizers: [] }
  if (served.verbs.includes('deletecollection')) {
    await client.deleteCollection(served, { namespace, propagationPolicy: 'Background', signal })
  } else {
    for (const { metadata } of left.filter((object) => object.metadata.deletionTimestamp === undefined)) {
      await deleteOne(client, served, metadata, signal)
    }
  }
  const after = await listAll(client, served, namespace, signal)
  return {
    served,
    count: after.length,
    finalizers: after.flatMap(({ metadata }) => metadata.finalizers ?? []),
  }
}

async function deleteOne(
  client: Client,
  served: ResourceRef,
  { namespace, name = '' }: AnyObject['metadata'],
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.delete(served, { namespace, name }, { propagationPolicy: 'Background', signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function listAll(
  client: Client,
  served: ResourceRef,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly AnyObject[]> {
  const found: AnyObject[] = []
  let next: string | undefined
  do {
    const page = await client.list(served, {
      namespace,
      limit: pageItems,
      continue: next,
      isMetadataOnly: true,
      signal,
    })
    found.push(...page.items)
    next = page.continue
  } while (next !== undefined)
  return found
}
