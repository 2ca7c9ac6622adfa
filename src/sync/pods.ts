// The engine for pods: out to the host, status and node back, and an end that both sides agree on.
// What a pod looks like on the host is translators/pod.ts's.

import type { Pod } from '../api/models.ts'
import type { AnyObject } from '../client/client.ts'
import { subresourceOf } from '../client/client.ts'
import { isConflict, isNotFound } from '../client/failures.ts'
import { splitKey } from '../client/objects.ts'
import { pods } from '../client/resources.ts'
import { judgePod, violationText } from '../podsecurity/podsecurity.ts'
import type { ReconcileResult } from '../reconcile/controller.ts'
import { identityFor, type SyncContext } from './context.ts'
import { isSameJson } from './equal.ts'
import { blocked, notEnforced, tellFailure } from './mirror.ts'
import { hostName } from './names.ts'
import { ensureNode, nodeNameOf } from './nodes.ts'
import { isOwned } from './owner.ts'
import { changeable, withPodDigest } from './pod-change.ts'
import { tellUnscheduled, writeStatus } from './pod-status.ts'
import { hasEnded } from './references.ts'
import { type IssueToken, keepTokens } from './tokens.ts'
import { type PodTranslation, toHostPod } from './translators/pod.ts'

export interface PodEngineOptions {
  readonly context: SyncContext
  readonly issueToken: IssueToken
  /** Brings what the pod reads to the host, so that it need not wait for it there; false: not yet possible. */
  readonly bringReferences: (pod: Pod, options: { readonly signal: AbortSignal }) => Promise<boolean>
  /** Asked before a virtual pod is deleted because its host pod is gone; false: too many at once. */
  readonly mayVanish: (key: string) => boolean
}

/** A host pod's UID, on the virtual pod: this one was on the host, and is never made there again. */
const hostUidAnnotation = 'k3v.dev/host-uid'
const blockedRetryMs = 30_000
const tokensRetryMs = 2_000
const referencesRetryMs = 1_000

type Options = { readonly signal: AbortSignal }

export class PodEngine {
  readonly #context: SyncContext
  readonly #issueToken: IssueToken
  readonly #bringReferences: PodEngineOptions['bringReferences']
  readonly #mayVanish: PodEngineOptions['mayVanish']
  /** UIDs of virtual pods whose copy was seen or made by this process. */
  readonly #seen = new Set<string>()

  constructor({ context, issueToken, bringReferences, mayVanish }: PodEngineOptions) {
    this.#context = context
    this.#issueToken = issueToken
    this.#bringReferences = bringReferences
    this.#mayVanish = mayVanish
  }

  async reconcile(key: string, options: Options): Promise<ReconcileResult | undefined> {
    const { world, translation } = this.#context
    const { namespace, name } = splitKey(key)
    const virtual = world.virtual.pods.get(namespace, name)
    if (virtual === undefined) return undefined
    const { planeUid, hostNamespace } = translation().owner
    const copyName = hostName({ planeUid, group: '', kind: 'Pod', namespace, name })
    const host = world.host.pods.get(hostNamespace, copyName)
    if (host === undefined) return await this.#withoutCopy(virtual, copyName, options)
    if (!isOwned(host, planeUid, identityFor('Pod', virtual)))
      return blocked({ kind: 'Pod' }, this.#context, virtual, host)
    this.#seen.add(virtual.metadata.uid ?? '')
    return await this.#withCopy(virtual, host, options)
  }

  /** The virtual pod is gone. */
  forget(uid: string): void {
    this.#seen.delete(uid)
  }

  async #withoutCopy(virtual: Pod, copyName: string, options: Options): Promise<ReconcileResult | undefined> {
    const { metadata, spec } = virtual
    const isDeleting = metadata.deletionTimestamp !== undefined
    if (!isDeleting && !this.#wasOnHost(virtual)) {
      if ((spec?.schedulingGates ?? []).length > 0 || hasEnded(virtual)) return undefined
      return await this.#create(virtual, options)
    }
    // The copy of the world may lag behind; only the host itself proves that the pod is gone.
    const there = await this.#context.writer.read(pods, copyName, options.signal)
    if (there !== undefined) return { requeueAfterMs: 1_000 }
    if (!isDeleting && !this.#mayVanish(`${metadata.namespace}/${metadata.name}`))
      return { requeueAfterMs: blockedRetryMs }
    await this.#remove(virtual, { gracePeriodSeconds: 0, ...options })
    return undefined
  }

  #wasOnHost({ metadata, status }: Pod): boolean {
    return (
      this.#seen.has(metadata.uid ?? '') ||
      metadata.annotations?.[hostUidAnnotation] !== undefined ||
      status?.startTime !== undefined
    )
  }

  async #create(virtual: Pod, options: Options): Promise<ReconcileResult | undefined> {
    const context = this.#context
    const translated = toHostPod(virtual, context.translation())
    const problem = this.#judge(virtual, translated)
    if (problem !== undefined) {
      await tellUnscheduled(context, virtual, problem, options)
      return undefined
    }
    try {
      if (!(await this.#bringReferences(virtual, options))) return { requeueAfterMs: referencesRetryMs }
      const tokens = await this.#keepTokens(virtual, translated, { isNew: true, ...options })
      // Those of an earlier pod of this name are still there: this pod must not start with them.
      if (!tokens.areThere) return { requeueAfterMs: tokens.lookAgainMs }
      this.#tellReach(virtual, translated)
      const desired = withPodDigest(translated.host)
      const created = await context.writer.create(pods, desired, options.signal)
      if (created === undefined) return { requeueAfterMs: 1_000 }
      this.#seen.add(virtual.metadata.uid ?? '')
      return { requeueAfterMs: tokens.lookAgainMs }
    } catch (error) {
      tellFailure('Pod', context, virtual, error)
      throw error
    }
  }

  /** Why the pod must not go to the host; tells what has no effect there. */
  #judge(
    virtual: Pod,
    { host, ignored, refusals }: PodTranslation,
  ): { readonly reason: string; readonly message: string } | undefined {
    const { recorder, translation } = this.#context
    const object = aboutPod(virtual)
    const level = translation().policy.podSecurity
    const violations = judgePod(host, level)
    const texts = [...refusals, ...(violations.length === 0 ? [] : [violationText(violations, level)])]
    if (texts.length > 0) {
      const problem = { reason: 'RefusedOnHost', message: texts.join('; ') }
      recorder.record({ object, type: 'Warning', ...problem })
      return problem
    }
    if (ignored.length > 0) recorder.record({ object, ...notEnforced(ignored) })
    return undefined
  }

  /** Said once, when the pod goes out: a token or a cluster name without an API that would take it. */
  #tellReach(virtual: Pod, { tokens }: PodTranslation): void {
    const { api, dns } = this.#context.translation()
    const usesNames =
      dns === undefined && virtual.spec?.dnsPolicy !== 'Default' && virtual.spec?.dnsPolicy !== 'None'
    if (api !== undefined || (tokens.length === 0 && !usesNames)) return
    this.#context.recorder.record({
      object: aboutPod(virtual),
      type: 'Warning',
      reason: 'APIUnreachable',
      message:
        'Pods on this host cannot reach the API and the DNS of this plane: start it with --advertise-address.',
    })
  }

  /** Keeps the pod's token Secret, if it mounts any. */
  async #keepTokens(
    virtual: Pod,
    { tokens }: PodTranslation,
    { isNew, signal }: Options & { readonly isNew: boolean },
  ): Promise<{ readonly areThere: boolean; readonly lookAgainMs?: number | undefined }> {
    if (tokens.length === 0) return { areThere: true }
    const parts = { pod: virtual, wishes: tokens, issueToken: this.#issueToken, isNew, signal }
    const lookAgainMs = await keepTokens(this.#context, parts)
    return lookAgainMs === undefined
      ? { areThere: false, lookAgainMs: tokensRetryMs }
      : { areThere: true, lookAgainMs }
  }

  async #withCopy(virtual: Pod, host: Pod, options: Options): Promise<ReconcileResult | undefined> {
    const isDeleting = virtual.metadata.deletionTimestamp !== undefined
    if (isDeleting) await this.#end(virtual, host, options)
    else if (host.metadata.deletionTimestamp !== undefined) {
      const gracePeriodSeconds = host.metadata.deletionGracePeriodSeconds
      await this.#remove(virtual, { gracePeriodSeconds, ...options })
      return undefined
    }
    const bound = await this.#bind(virtual, host, options)
    await writeStatus(this.#context, bound, host, options)
    if (isDeleting || hasEnded(host)) return undefined
    return await this.#keep(virtual, host, options)
  }

  /** Deletes the copy with the grace that the tenant gave. */
  async #end(virtual: Pod, host: Pod, { signal }: Options): Promise<void> {
    const { deletionGracePeriodSeconds: gracePeriodSeconds = 30 } = virtual.metadata
    const given = host.metadata.deletionGracePeriodSeconds
    const isUnderWay = host.metadata.deletionTimestamp !== undefined
    if (isUnderWay && (given === undefined || given <= gracePeriodSeconds)) return
    await this.#context.writer.delete(pods, host, { gracePeriodSeconds, signal })
  }

  /** Gives the virtual pod the node that the host chose. Answers the pod as it is then. */
  async #bind(virtual: Pod, host: Pod, { signal }: Options): Promise<Pod> {
    const { metadata, spec } = virtual
    const mode = this.#context.translation().policy.nodes
    const node = nodeNameOf(host, mode)
    if (node === undefined || metadata.deletionTimestamp !== undefined) return virtual
    if (spec?.nodeName !== undefined && spec.nodeName !== '') return virtual
    const client = this.#context.virtual
    await ensureNode(this.#context, node, { hostIP: host.status?.hostIP, signal })
    const { namespace, name = '', uid } = metadata
    const annotations = { [hostUidAnnotation]: host.metadata.uid ?? '' }
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, uid, annotations },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    }
    try {
      await client.create(subresourceOf<AnyObject>(pods, 'binding'), binding, { name, namespace, signal })
    } catch (error) {
      // Bound before, and the copy here lags; or gone. The read below tells.
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
    return (await client.get(pods, { namespace, name }, { signal })) ?? virtual
  }

  /** What may change in a running pod: images, labels, annotations, its deadline; and its tokens grow old. */
  async #keep(virtual: Pod, host: Pod, options: Options): Promise<ReconcileResult | undefined> {
    const translated = toHostPod(virtual, this.#context.translation())
    const { lookAgainMs: requeueAfterMs } = await this.#keepTokens(virtual, translated, {
      isNew: false,
      ...options,
    })
    const desired = changeable(host, translated.host)
    if (isSameJson(desired, host)) return { requeueAfterMs }
    const violations = judgePod(desired, this.#context.translation().policy.podSecurity)
    if (violations.length > 0) return { requeueAfterMs }
    try {
      await this.#context.writer.update(pods, desired, options.signal)
    } catch (error) {
      tellFailure('Pod', this.#context, virtual, error)
      throw error
    }
    return { requeueAfterMs }
  }

  async #remove(
    { metadata }: Pod,
    { gracePeriodSeconds, signal }: Options & { readonly gracePeriodSeconds?: number | undefined },
  ): Promise<void> {
    const { namespace, name = '', uid } = metadata
    try {
      const options = { gracePeriodSeconds, signal, preconditions: { uid } }
      await this.#context.virtual.delete(pods, { namespace, name }, options)
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }
}

export const aboutPod = ({ metadata }: Pod) => ({ apiVersion: 'v1', kind: 'Pod', metadata })
