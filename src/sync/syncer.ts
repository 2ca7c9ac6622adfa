// Keeps a plane and its host in step: starts the engines over both worlds, and stops them together.
// What each engine does stands in its own file.

import type { TokenRequest } from '../api/models.ts'
import { type AnyObject, type Client, subresourceOf } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { createRecorder } from '../client/recorder.ts'
import { serviceAccounts } from '../client/resources.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { SyncContext } from './context.ts'
import { startEngines } from './engines.ts'
import { HostWriter } from './host-writer.ts'
import { ensureNode, singleNodeName } from './nodes.ts'
import { identityOf, type Owner } from './owner.ts'
import type { SyncPolicy } from './policy.ts'
import { SyncState } from './state.ts'
import { startSweeping, sweptKinds } from './sweeping.ts'
import type { IssueToken } from './tokens.ts'
import type { ApiAddress, ClusterDns, Exposed } from './translators/translation.ts'
import { openWorld, type RunningWorld } from './world.ts'

export interface SyncOptions {
  /** May do everything in the plane that sync needs. */
  readonly virtual: Client
  readonly host: Client
  readonly hostNamespace: string
  /** Names this plane on the host: marks and names are made of it, so it never changes. A valid label value. */
  readonly planeUid: string
  /** The store's own name: copies that came from another store are not deleted for being unknown to this one. */
  readonly storeEpoch: string
  readonly policy: SyncPolicy
  /** The root ConfigMap that owns all copies; undefined: they outlive the release. */
  readonly owner: { readonly name: string; readonly uid: string } | undefined
  /** Where pods reach the API of the plane; undefined: they cannot, and are told. */
  readonly apiAddress: () => ApiAddress | undefined
  /** The plane's DNS as pods reach it; absent: pods use their node's resolver. */
  readonly dns?: (() => ClusterDns | undefined) | undefined
  /** Services that a package publishes on the host; absent: none. */
  readonly exposed?: (() => readonly Exposed[]) | undefined
  /** A ServiceAccount of the host namespace without any rights. */
  readonly workloadServiceAccount: string
  /** Absent: TokenRequests through `virtual`. */
  readonly issueToken?: IssueToken | undefined
  /** Host names that the address allocator is about to use, which are no leftovers. */
  readonly isReserved?: ((hostName: string) => boolean) | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface SyncStatus {
  /** `waiting`: for both worlds to be read, or for another writer to end. */
  readonly phase: 'running' | 'stopped' | 'waiting'
  readonly isWriter: boolean
  /** Why nothing is deleted for being absent; undefined while all is well. */
  readonly alarm: string | undefined
  /** Why the host cannot be read; what is on it then runs on untouched. */
  readonly hostFailure: string | undefined
  /** Copies on the host. */
  readonly copies: number
}

export interface Sync extends AsyncDisposable {
  /** Resolves when this process writes to the host for the first time; rejects when stopped before. */
  readonly ready: Promise<void>
  status(): SyncStatus
}

/** Starts at once and returns; nothing is written before both worlds were read whole and the lock is held. */
export async function startSync(options: SyncOptions): Promise<Sync> {
  const { clock, random } = options
  const log = options.log.child({ room: 'sync' })
  const owner: Owner = {
    planeUid: options.planeUid,
    hostNamespace: options.hostNamespace,
    root: options.owner,
  }
  const world = openWorld({ virtual: options.virtual, host: options.host, owner, clock, random, log })
  const stopping = new AbortController()
  const running = new Running(options, owner, world, log, stopping.signal)
  const started = running.start()
  started.catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error('sync could not start', { error })
  })
  let isStopped = false
  return {
    ready: started,
    status: () => ({ ...running.status(), ...(isStopped ? { phase: 'stopped' as const } : {}) }),
    [Symbol.asyncDispose]: async () => {
      isStopped = true
      stopping.abort(new Error('sync is stopped'))
      await running.stop()
      await world[Symbol.asyncDispose]()
      await started.catch(() => undefined)
      // What start had just begun when it was told to stop.
      await running.stop()
    },
  }
}

class Running {
  readonly #options: SyncOptions
  readonly #owner: Owner
  readonly #world: RunningWorld
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #parts: AsyncDisposable[] = []
  #state: SyncState | undefined
  #sweepAlarm: string | undefined

  constructor(options: SyncOptions, owner: Owner, world: RunningWorld, log: Logger, signal: AbortSignal) {
    this.#options = options
    this.#owner = owner
    this.#world = world
    this.#log = log
    this.#signal = signal
  }

  async start(): Promise<void> {
    const { virtual, policy, issueToken, clock } = this.#options
    await this.#world.synced
    this.#signal.throwIfAborted()
    const state = this.#openState()
    this.#state = state
    this.#parts.push(state)
    await state.held
    const context = this.#context(state)
    this.#parts.push(context.recorder)
    if (policy.nodes !== 'seen') await ensureNode(context, singleNodeName, { signal: this.#signal })
    const engines = startEngines({ context, issueToken: issueToken ?? tokenRequests(virtual) })
    this.#parts.push(engines)
    const sweeping = startSweeping(context, {
      isReserved: this.#options.isReserved,
      onAlarm: (alarm) => {
        this.#sweepAlarm = alarm
      },
    })
    this.#parts.push(sweeping)
    this.#log.info('sync runs', {
      hostNamespace: this.#owner.hostNamespace,
      fence: state.fence,
      at: clock.now(),
    })
  }

  /** In reverse: engines end before the lock is let go of. */
  async stop(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part[Symbol.asyncDispose]()
  }

  status(): SyncStatus {
    const { host } = this.#world
    const isWriter = this.#state?.isWriter ?? false
    const failure = this.#world.failure.host
    const copies = Object.values(host).reduce(
      (sum, informer: Pick<Informer<AnyObject>, 'keys'>) => sum + informer.keys().length,
      0,
    )
    return {
      phase: isWriter ? 'running' : 'waiting',
      isWriter,
      alarm: this.#state?.alarm ?? this.#sweepAlarm,
      hostFailure: failure === undefined ? undefined : String(failure),
      copies,
    }
  }

  #openState(): SyncState {
    const { host, storeEpoch, clock } = this.#options
    return new SyncState({
      client: host,
      owner: this.#owner,
      storeEpoch,
      revision: () => this.#world.revision,
      hasStrangers: async () => this.#hasStrangers(),
      clock,
      log: this.#log,
    })
  }

  #hasStrangers(): boolean {
    const { planeUid } = this.#owner
    return sweptKinds(this.#world).some(({ group, kind, host, virtual }) =>
      host.list().some((object) => {
        const identity = identityOf(object, planeUid)
        if (identity === undefined || identity.kind !== kind || identity.group !== group) return false
        const { namespace, name, uid } = identity
        if (this.#options.isReserved?.(object.metadata.name ?? '') === true) return false
        if (this.#world.virtual.tombstones.get('', uid) !== undefined) return false
        return virtual.get(namespace, name)?.metadata.uid !== uid
      }),
    )
  }

  #context(state: SyncState): SyncContext {
    const { virtual, host, policy, apiAddress, dns, exposed, workloadServiceAccount, clock, random } =
      this.#options
    const owner = this.#owner
    const world = this.#world
    const log = this.#log
    const servicesOf = (namespace: string) => world.virtual.services.list(namespace)
    return {
      world,
      virtual,
      writer: new HostWriter({
        client: host,
        hostNamespace: owner.hostNamespace,
        mayWrite: () => state.isWriter,
      }),
      recorder: createRecorder({ client: virtual, component: 'k3v-sync', clock, log }),
      translation: () => ({
        owner,
        policy,
        workloadServiceAccount,
        api: apiAddress(),
        dns: dns?.(),
        exposed: exposed?.(),
        servicesOf,
      }),
      trustsAbsence: () => state.alarm === undefined && world.failure.virtual === undefined,
      clock,
      random,
      log,
    }
  }
}

/** Asks the plane for tokens as kubelets do. */
function tokenRequests(virtual: Client): IssueToken {
  const token = subresourceOf<TokenRequest>(serviceAccounts, 'token')
  return async ({ namespace, serviceAccountName, audiences, expirationSeconds, pod }, { signal }) => {
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences,
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
      },
    }
    const { status } = await virtual.create(token, request, { namespace, name: serviceAccountName, signal })
    return { token: status?.token ?? '', expirationTimestamp: status?.expirationTimestamp ?? '' }
  }
}
