// The Secret on the host that holds the tokens of one pod: issued by the plane for this pod, renewed at 80 % of their life.
// How a pod mounts it is translators/volumes.ts's.

import type { Pod, Secret } from '../api/models.ts'
import { secrets } from '../client/resources.ts'
import type { SyncContext } from './context.ts'
import { digestOf } from './equal.ts'
import { mergeMetadata } from './mirror.ts'
import { type Identity, isOwned, ownedMetadata } from './owner.ts'
import { tokenSecretName } from './translators/pod.ts'
import type { TokenWish } from './translators/volumes.ts'

export interface TokenRequestOfPod {
  readonly namespace: string
  readonly serviceAccountName: string
  /** Empty: the plane's API. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  readonly pod: { readonly name: string; readonly uid: string }
}

/** Issues a token of the plane that is good for this pod only. */
export type IssueToken = (
  request: TokenRequestOfPod,
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<{ readonly token: string; readonly expirationTimestamp: string }>

const renewAnnotation = 'k3v.dev/renew-at'
const wishesAnnotation = 'k3v.dev/tokens'
const renewShare = 0.8

export interface TokenKeeping {
  readonly pod: Pod
  readonly wishes: readonly TokenWish[]
  readonly issueToken: IssueToken
  /** The pod goes out for the first time: its Secret is hardly there yet. */
  readonly isNew: boolean
  readonly signal: AbortSignal
}

/** Writes the Secret when it is missing, stale or due. Answers when to look again; undefined: something is in the way. */
export async function keepTokens(context: SyncContext, keeping: TokenKeeping): Promise<number | undefined> {
  const { pod, wishes, isNew, signal } = keeping
  const { owner } = context.translation()
  const identity = tokenIdentity(pod)
  const name = tokenSecretName(pod, owner.planeUid)
  const current =
    context.world.host.secrets.get(owner.hostNamespace, name) ??
    (isNew ? undefined : await context.writer.read(secrets, name, signal))
  if (current !== undefined && !isOwned(current, owner.planeUid, identity)) return undefined
  const wishesDigest = digestOf(wishes)
  const { annotations = {} } = current?.metadata ?? {}
  const renewAtMs = Number(annotations[renewAnnotation] ?? 0)
  const leftMs = renewAtMs - context.clock.now()
  if (current !== undefined && annotations[wishesAnnotation] === wishesDigest && leftMs > 0) return leftMs
  const issued = await issueAll(context, keeping)
  const desired: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: ownedMetadata(owner, identity, {
      annotations: { [renewAnnotation]: String(issued.renewAtMs), [wishesAnnotation]: wishesDigest },
    }),
    type: 'Opaque',
    data: issued.data,
  }
  if (current === undefined) {
    const there =
      (await context.writer.create(secrets, desired, signal)) ??
      (await context.writer.read(secrets, name, signal))
    // Written by this process a moment ago, or in the way: the copy of the world will tell.
    if (there === undefined || !isOwned(there, owner.planeUid, identity)) return undefined
  } else {
    const metadata = mergeMetadata(current.metadata, desired.metadata)
    await context.writer.update(secrets, { ...current, data: issued.data, metadata }, signal)
  }
  return Math.max(1_000, issued.renewAtMs - context.clock.now())
}

/** Whose Secret it is: the pod's, and it goes with the pod. */
export function tokenIdentity({ metadata }: Pod): Identity {
  const { namespace = '', name = '', uid = '' } = metadata
  return { group: 'k3v.dev', kind: 'PodTokens', namespace, name, uid }
}

async function issueAll(
  { clock }: SyncContext,
  { pod, wishes, issueToken, signal }: TokenKeeping,
): Promise<{ readonly data: Record<string, string>; readonly renewAtMs: number }> {
  const { namespace = '', name = '', uid = '' } = pod.metadata
  const data: Record<string, string> = {}
  let renewAtMs = Number.POSITIVE_INFINITY
  for (const { key, audiences, expirationSeconds } of wishes) {
    const issued = await issueToken(
      {
        namespace,
        serviceAccountName: pod.spec?.serviceAccountName ?? 'default',
        audiences,
        expirationSeconds,
        pod: { name, uid },
      },
      { signal },
    )
    data[key] = Buffer.from(issued.token).toString('base64')
    const lifeMs = Date.parse(issued.expirationTimestamp) - clock.now()
    renewAtMs = Math.min(renewAtMs, Math.floor(clock.now() + lifeMs * renewShare))
  }
  return { data, renewAtMs }
}
