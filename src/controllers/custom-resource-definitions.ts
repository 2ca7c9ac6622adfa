// Accepts the names of custom resource definitions, establishes them, and empties them before they go.
// Upstream: apiextensions-apiserver/pkg/controller. Which names are free is decided in crds/names.

import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '../api/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { AnyObject, Client, ResourceRef, Target } from '../client/client.ts'
import { isNotFound } from '../client/failures.ts'
import { customResourceDefinitions } from '../client/resources.ts'
import { sameJson } from '../crds/copy.ts'
import { approvalCondition } from '../crds/definition/approval.ts'
import { cleanupFinalizer, isTrue, readDefinition } from '../crds/definition/definition.ts'
import { decideNames, withCondition } from '../crds/definition/names.ts'
import { reachableVersions } from '../crds/kind.ts'
import type { Controller, ReconcileResult } from '../reconcile/controller.ts'
import { fromInformer } from '../reconcile/source.ts'
import { timeOf } from './conditions.ts'
import type { Context } from './context.ts'

// Finalizers of instances take their own time, and nothing tells when the last one is gone: look again.
const lookAgainMs = 1_000
const pageItems = 500
const deletesAtOnce = 16

interface Work {
  readonly client: Client
  readonly now: () => string
  readonly signal: AbortSignal
}

export function startCustomResourceDefinitions({
  clientFor,
  control,
  informers,
  clock,
}: Context): Controller {
  // Emptying a definition is collecting garbage, and needs the same rights: every resource there may be.
  const client = clientFor('generic-garbage-collector')
  const known = informers.of(customResourceDefinitions)
  const controller = control({
    name: 'custom-resource-definitions',
    sources: [fromInformer(known)],
    // One at a time: two definitions must not be given the same name.
    workers: 1,
    reconcile: async (name, { signal }) => {
      const work: Work = { client, now: () => timeOf(clock.now()), signal }
      const found = await client.get(customResourceDefinitions, { name }, { signal })
      // Names that are free again may be what others wait for.
      if (found === undefined || isDeleting(found)) {
        for (const other of waiting(known.list())) controller.enqueue(other)
      }
      if (found === undefined) return undefined
      if (isDeleting(found)) return await cleanUp(work, found)
      return await accept(work, found)
    },
  })
  return controller
}

const isDeleting = ({ metadata }: AnyObject): boolean => metadata.deletionTimestamp !== undefined
const plain = (definition: CustomResourceDefinition): KubeObject => definition as unknown as KubeObject

function waiting(all: readonly CustomResourceDefinition[]): readonly string[] {
  return all
    .filter((one) => !isDeleting(one) && !isTrue(readDefinition(plain(one)), 'NamesAccepted'))
    .map(({ metadata }) => metadata.name ?? '')
}

async function accept(
  { client, now, signal }: Work,
  definition: CustomResourceDefinition,
): Promise<undefined> {
  const all = await client.list(customResourceDefinitions, { signal })
  const decision = decideNames(plain(definition), all.items.map(plain))
  const approval = approvalCondition(definition.spec.group, definition.metadata.annotations)
  const { conditions } = readDefinition(plain(definition))
  const wanted = [decision.namesAccepted, decision.established, ...(approval === undefined ? [] : [approval])]
  const next = wanted.reduce(
    (list: readonly CustomResourceDefinitionCondition[], one) => withCondition(list, one, now()),
    conditions,
  )
  const status = { ...definition.status, acceptedNames: shown(decision.acceptedNames), conditions: next }
  if (sameJson(status, definition.status)) return undefined
  await client.updateStatus(customResourceDefinitions, { ...definition, status }, { signal })
  return undefined
}

/** Empty lists are left out, as Go writes them. */
function shown(names: ReturnType<typeof decideNames>['acceptedNames']) {
  const { plural, singular, kind, listKind, shortNames, categories } = names
  return {
    plural,
    ...(singular === '' ? {} : { singular }),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    kind,
    ...(listKind === '' ? {} : { listKind }),
    ...(categories.length === 0 ? {} : { categories }),
  }
}

async function cleanUp(
  work: Work,
  definition: CustomResourceDefinition,
): Promise<ReconcileResult | undefined> {
  if (definition.metadata.finalizers?.includes(cleanupFinalizer) !== true) return undefined
  const terminating = (status: 'True' | 'False', reason: string, message: string) =>
    setTerminating(work, definition, { type: 'Terminating', status, reason, message })
  if (!isTrue(readDefinition(plain(definition)), 'Established')) {
    return await release(
      work,
      await terminating('False', 'NeverEstablished', 'resource was never established'),
    )
  }
  const started = await terminating(
    'True',
    'InstanceDeletionInProgress',
    'CustomResource deletion is in progress',
  )
  const resource = instancesOf(definition)
  if (resource !== undefined && (await deleteInstances(work, resource)) > 0)
    return { requeueAfterMs: lookAgainMs }
  return await release(work, started)
}

async function setTerminating(
  { client, now, signal }: Work,
  definition: CustomResourceDefinition,
  condition: CustomResourceDefinitionCondition,
): Promise<CustomResourceDefinition> {
  const { conditions } = readDefinition(plain(definition))
  const next = withCondition(conditions, condition, now())
  if (next === conditions) return definition
  const status = { ...definition.status, conditions: next }
  return await client.updateStatus(customResourceDefinitions, { ...definition, status }, { signal })
}

/** Any version reaches all instances. */
function instancesOf(object: CustomResourceDefinition): ResourceRef | undefined {
  const definition = readDefinition(plain(object))
  const { group, acceptedNames, isNamespaced } = definition
  const [version] = reachableVersions(definition)
  if (version === undefined) return undefined
  return { group, version: version.name, resource: acceptedNames.plural, isNamespaced }
}

/** Asks every instance to go; answers how many are still there. */
async function deleteInstances({ client, signal }: Work, resource: ResourceRef): Promise<number> {
  try {
    const targets = await listAll(client, resource, signal)
    const queue = targets.filter(({ isLeaving }) => !isLeaving).values()
    const worker = async (): Promise<void> => {
      for (const { namespace, name } of queue) await deleteOne(client, resource, { namespace, name }, signal)
    }
    await Promise.all(Array.from({ length: deletesAtOnce }, worker))
    return targets.length === 0 ? 0 : (await listAll(client, resource, signal)).length
  } catch (error) {
    // Not served: nothing can be there that somebody could still see.
    if (isNotFound(error)) return 0
    throw error
  }
}

interface Instance extends Target {
  readonly isLeaving: boolean
}

async function listAll(
  client: Client,
  resource: ResourceRef,
  signal: AbortSignal,
): Promise<readonly Instance[]> {
  const found: Instance[] = []
  let next: string | undefined
  do {
    const page = await client.listVersions(resource, {
      limit: pageItems,
      continue: next,
      isMetadataOnly: true,
      signal,
    })
    for (const { header } of page.versions) {
      found.push({ namespace: header.namespace, name: header.name, isLeaving: header.isDeleting })
    }
    next = page.continue
  } while (next !== undefined)
  return found
}

async function deleteOne(
  client: Client,
  resource: ResourceRef,
  target: Target,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.delete(resource, target, { propagationPolicy: 'Background', signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function release({ client, signal }: Work, definition: CustomResourceDefinition): Promise<undefined> {
  const finalizers = definition.metadata.finalizers?.filter((one) => one !== cleanupFinalizer) ?? []
  const next = { ...definition, metadata: { ...definition.metadata, finalizers } }
  try {
    await client.update(customResourceDefinitions, next, { signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return undefined
}
