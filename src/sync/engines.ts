// Starts one controller a kind: which changes on either side wake which key.

import type { Pod } from '../api/models.ts'
import { ApiError } from '../api/status.ts'
import type { AnyObject, Version } from '../client/client.ts'
import { isConflict, isTransient } from '../client/failures.ts'
import type { Informer } from '../client/informer.ts'
import { createController, type Reconcile } from '../reconcile/controller.ts'
import { fromInformer, type Source } from '../reconcile/source.ts'
import { brake } from './brake.ts'
import { type SyncContext, virtualKeys } from './context.ts'
import { createMirror, type Mirror, type MirrorKind } from './mirror.ts'
import { mirroredClaims, mirroredConfigMaps, mirroredSecrets, mirroredServices } from './mirrored.ts'
import { uidAnnotation } from './owner.ts'
import { PodEngine } from './pods.ts'
import { referencesOf } from './references.ts'
import type { IssueToken } from './tokens.ts'
import { reconcileTombstone } from './tombstones.ts'

export interface EnginesOptions {
  readonly context: SyncContext
  readonly issueToken: IssueToken
}

const vanishWindowMs = 60_000

/** All copies of the world are complete when this is called. */
export function startEngines({ context, issueToken }: EnginesOptions): AsyncDisposable {
  const { world, translation } = context
  const { planeUid } = translation().owner
  const kinds = {
    configMaps: mirroredConfigMaps(context),
    secrets: mirroredSecrets(context),
    claims: mirroredClaims(context),
    services: mirroredServices(context),
  }
  const mirrors = {
    configMaps: createMirror(kinds.configMaps, context),
    secrets: createMirror(kinds.secrets, context),
    claims: createMirror(kinds.claims, context),
  }
  const pods = new PodEngine({
    context,
    issueToken,
    bringReferences: (pod, options) => bringReferences(mirrors, pod, options),
    mayVanish: vanishing(context),
  })
  const forgetting = world.virtual.pods.on(({ current, previous }) => {
    if (current === undefined && previous !== undefined) pods.forget(previous.header.uid)
  })
  const controllers = [
    control(context, 'pods', (key, options) => pods.reconcile(key, options), [
      fromInformer(world.virtual.pods),
      fromInformer(world.host.pods, virtualKeys(planeUid, '', 'Pod')),
      fromInformer(world.host.secrets, virtualKeys(planeUid, 'k3v.dev', 'PodTokens')),
      fromInformer(world.virtual.services, ({ header }) => behindExposed(context, header)),
    ]),
    control(
      context,
      'services',
      createMirror(kinds.services, context).reconcile,
      both(kinds.services, planeUid),
    ),
    control(context, 'claims', mirrors.claims.reconcile, both(kinds.claims, planeUid)),
    control(context, 'config maps', mirrors.configMaps.reconcile, [
      ...both(kinds.configMaps, planeUid),
      ...readBy(context, 'configMaps', world.host.configMaps, virtualKeys(planeUid, '', 'ConfigMap')),
    ]),
    control(context, 'secrets', mirrors.secrets.reconcile, [
      ...both(kinds.secrets, planeUid),
      ...readBy(context, 'secrets', world.host.secrets, virtualKeys(planeUid, '', 'Secret')),
    ]),
    control(context, 'tombstones', (key, options) => reconcileTombstone(context, key, options), [
      fromInformer(world.virtual.tombstones),
      ...Object.values(world.host).map((informer: Informer<AnyObject>) => fromInformer(informer, virtualUid)),
    ]),
  ]
  return {
    [Symbol.asyncDispose]: async () => {
      forgetting()
      await Promise.all(controllers.map((controller) => controller[Symbol.asyncDispose]()))
    },
  }
}

function control(context: SyncContext, name: string, reconcile: Reconcile, sources: readonly Source[]) {
  const { clock, random, log } = context
  // Most of a reconcile is waiting for the host.
  return createController({ name, sources, reconcile, workers: 8, clock, random, log, isExpected })
}

const isExpected = (error: unknown): boolean =>
  error instanceof ApiError && (isConflict(error) || isTransient(error))

function both<T extends AnyObject>(
  { virtual, host, kind }: MirrorKind<T>,
  planeUid: string,
): readonly Source[] {
  return [fromInformer(virtual), fromInformer(host, virtualKeys(planeUid, '', kind))]
}

/** The pods beside an exposed Service: any of them may be behind it. */
function behindExposed(
  { world, translation }: SyncContext,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): readonly string[] {
  const isExposed = translation().exposed?.some((one) => one.namespace === namespace && one.service === name)
  if (isExposed !== true) return []
  return world.virtual.pods.versions(namespace).map(({ header }) => `${header.namespace}/${header.name}`)
}

const virtualUid = ({ object }: Version<AnyObject>): readonly string[] => {
  const uid = object.metadata.annotations?.[uidAnnotation]
  return uid === undefined ? [] : [uid]
}

/** Pods of both sides wake what they read: the first reader brings the copy, the last one lets it go. */
function readBy<T extends AnyObject>(
  { world, translation }: SyncContext,
  field: 'configMaps' | 'secrets',
  host: Informer<T>,
  keysOf: (version: { readonly object: AnyObject }) => readonly string[],
): readonly Source[] {
  const { hostNamespace } = translation().owner
  return [
    fromInformer(world.virtual.pods, ({ object }) =>
      referencesOf(object)[field].map((name) => `${object.metadata.namespace}/${name}`),
    ),
    fromInformer(world.host.pods, ({ object }) =>
      referencesOf(object)[field].flatMap((name) => {
        const copy = host.get(hostNamespace, name)
        return copy === undefined ? [] : keysOf({ object: copy })
      }),
    ),
  ]
}

/** False while a copy of an earlier object, or a stranger's, has the name: the pod must not start with that. */
async function bringReferences(
  mirrors: { readonly configMaps: Mirror; readonly secrets: Mirror; readonly claims: Mirror },
  pod: Pod,
  options: { readonly signal: AbortSignal },
): Promise<boolean> {
  const { namespace = '' } = pod.metadata
  const references = referencesOf(pod)
  // What is there and equal costs nothing; what is not is brought now.
  const brought = await Promise.allSettled(
    (['configMaps', 'secrets', 'claims'] as const).flatMap((field) =>
      references[field].map((name) => mirrors[field].reconcile(`${namespace}/${name}`, options)),
    ),
  )
  // One that failed is its own controller's to retry; the host's kubelet waits for it.
  return brought.every((result) => result.status === 'rejected' || result.value?.isBlocked !== true)
}

/** Counts pods whose copy is gone without a word; too many in a minute look like a lost host. */
function vanishing({ world, clock, log, trustsAbsence }: SyncContext): (key: string) => boolean {
  const vanished = new Map<string, number>()
  return (key) => {
    const nowMs = clock.monotonic()
    for (const [one, atMs] of vanished) if (nowMs - atMs > vanishWindowMs) vanished.delete(one)
    vanished.set(key, nowMs)
    const { isAllowed, limit } = brake({ absent: vanished.size, all: world.virtual.pods.keys().length })
    if (!isAllowed)
      log.error('many pods are gone from the host at once, keeps theirs in the plane', { limit, pod: key })
    return isAllowed && trustsAbsence()
  }
}
