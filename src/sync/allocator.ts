// Cluster IPs of the host for Services of the plane: the host's Service is made first, and its address taken.
// Keeping the rest of the copy equal is the mirror's.

import type { Allocator, Reservation } from '../api/contracts.ts'
import type { Service } from '../api/models.ts'
import type { KubeObject } from '../api/object.ts'
import { ApiError, alreadyExists, fieldInvalid, invalid, serviceUnavailable, timeout } from '../api/status.ts'
import type { Client } from '../client/client.ts'
import { isAlreadyExists, isConflict, isNotFound, isTransient } from '../client/failures.ts'
import { services } from '../client/resources.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Logger, silentLogger } from '../platform/log.ts'
import { mergeMetadata, withDigest } from './mirror.ts'
import { mergeServiceSpec } from './mirrored.ts'
import { identityOf, type Owner } from './owner.ts'
import { createScrub } from './scrub.ts'
import { isSyncedService, toHostService } from './translators/service.ts'

export interface HostAllocatorOptions {
  readonly host: Client
  readonly hostNamespace: string
  readonly planeUid: string
  /** The root ConfigMap that owns all copies. */
  readonly owner: { readonly name: string; readonly uid: string } | undefined
  /** The address of the `kubernetes` Service: it was made with the plane, not by it. */
  readonly kubernetesIP?: string | undefined
  readonly clock?: Clock | undefined
  readonly log?: Logger | undefined
}

export interface HostAllocator extends Allocator, AsyncDisposable {
  /** True while a host Service of this name waits for its object: sync takes it for no leftover. */
  isReserved(hostName: string): boolean
}

const retrySeconds = 2
const attemptsMax = 4
/** A client waits behind each of these calls. */
const hostTimeoutMs = 10_000

/** Disposing waits for the releases under way. What is released in vain, sync's sweep finds. */
export function createHostAllocator(options: HostAllocatorOptions): HostAllocator {
  return new ServiceAllocator(options)
}

interface HostCall {
  readonly isDryRun: boolean
  readonly signal: AbortSignal
}

class ServiceAllocator implements HostAllocator {
  readonly #host: Client
  readonly #owner: Owner
  readonly #kubernetesIP: string | undefined
  readonly #clock: Clock
  readonly #log: Logger
  /** Host names under reservation, and what tells that it was settled: true when it was confirmed. */
  readonly #pending = new Map<string, Promise<boolean>>()
  readonly #releasing = new Set<Promise<void>>()

  constructor({
    host,
    hostNamespace,
    planeUid,
    owner,
    kubernetesIP,
    clock = systemClock,
    log = silentLogger,
  }: HostAllocatorOptions) {
    this.#host = host
    this.#owner = { hostNamespace, planeUid, root: owner }
    this.#kubernetesIP = kubernetesIP
    this.#clock = clock
    this.#log = log.child({ room: 'sync' })
  }

  isReserved(hostName: string): boolean {
    return this.#pending.has(hostName)
  }

  async allocate(request: Parameters<Allocator['allocate']>[0]): Promise<Reservation> {
    const { object, old, resource, isDryRun } = request
    if (resource.group !== '' || resource.resource !== 'services') return nothing(object)
    const service = object as unknown as Service
    const before = old as unknown as Service | undefined
    if (service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes')
      return nothing(addressed(object, { clusterIP: this.#kubernetesIP ?? service.spec?.clusterIP ?? '' }))
    if (!isSyncedService(service)) return nothing(withoutAddresses(object))
    if (service.spec?.clusterIP === 'None') return nothing(addressed(object, { clusterIP: 'None' }))
    if (keepsAddress(service, before)) return nothing(addressed(object, before?.spec ?? {}))
    return await this.#reserve(service, object, isDryRun)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#releasing)
  }

  async #reserve(service: Service, object: KubeObject, isDryRun: boolean): Promise<Reservation> {
    const desired = withDigest(toHostService(service, this.#translation()).host)
    const hostName = desired.metadata.name ?? ''
    for (let other = this.#pending.get(hostName); other !== undefined; other = this.#pending.get(hostName)) {
      // Two creates of one name: when the first went well, the second comes too late.
      if (await other) throw alreadyExists({ group: '', resource: 'services' }, service.metadata.name ?? '')
    }
    const settled = Promise.withResolvers<boolean>()
    this.#pending.set(hostName, settled.promise)
    const settle = (isConfirmed: boolean): void => {
      this.#pending.delete(hostName)
      settled.resolve(isConfirmed)
    }
    try {
      const copy = await this.#inTime((signal) => this.#make(service, desired, { isDryRun, signal }))
      const release = (): void => {
        if (isDryRun) settle(false)
        else this.#release(copy, () => settle(false))
      }
      return { object: addressed(object, copy.spec ?? {}), confirm: () => settle(true), release }
    } catch (error) {
      settle(false)
      throw this.#refusal(service, error)
    }
  }

  /** Whether a write that was not answered in time has happened is found out by the next try, or by sync's sweep. */
  async #inTime<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController()
    const cancel = this.#clock.setTimer(hostTimeoutMs, () => limit.abort(timeout('the host is slow')))
    try {
      return await ask(limit.signal)
    } finally {
      cancel()
    }
  }

  async #make(service: Service, desired: Service, options: HostCall): Promise<Service> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#host.create(services, desired, { ...options, fieldManager: 'k3v' })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
      try {
        const adopted = await this.#adopt(service, desired, options)
        if (adopted !== undefined) return adopted
        if (attempt >= attemptsMax) throw serviceUnavailable('the host is removing the Service', retrySeconds)
      } catch (error) {
        // It changed or went away between the two looks.
        if (attempt >= attemptsMax || !hasMoved(error)) throw error
      }
    }
  }

  /**
   * The copy of an earlier Service of this name, or of a write that was never finished: it gets the new identity and
   * keeps its address, unless another was asked for. Its tombstone then finds nothing of the old one's left.
   * Undefined when it is gone.
   */
  async #adopt(
    service: Service,
    desired: Service,
    { isDryRun, signal }: HostCall,
  ): Promise<Service | undefined> {
    const { hostNamespace, planeUid } = this.#owner
    const { namespace = '', name = '' } = service.metadata
    const copy = { namespace: hostNamespace, name: desired.metadata.name ?? '' }
    const current = await this.#host.get(services, copy, { signal })
    if (current === undefined) return undefined
    const identity = identityOf(current, planeUid)
    const isOurs = identity?.kind === 'Service' && identity.namespace === namespace && identity.name === name
    if (!isOurs) {
      throw new ApiError({
        code: 409,
        reason: 'Conflict',
        message: foreignText,
      })
    }
    const asked = desired.spec?.clusterIP
    if (asked !== undefined && asked !== current.spec?.clusterIP) {
      const target = { namespace: hostNamespace, name: current.metadata.name ?? '' }
      const { uid, resourceVersion } = current.metadata
      const preconditions = { uid, resourceVersion }
      if (!isDryRun) await this.#host.delete(services, target, { preconditions, signal })
      throw serviceUnavailable(
        'the host is removing the Service of this name that was there before',
        retrySeconds,
      )
    }
    const next: Service = {
      ...current,
      metadata: mergeMetadata(current.metadata, desired.metadata),
      spec: mergeServiceSpec(current.spec ?? {}, desired.spec ?? {}),
    }
    return await this.#host.update(services, next, { isDryRun, signal, fieldManager: 'k3v' })
  }

  /** The next write of this name waits until the delete is done: it would else delete what that one took over. */
  #release({ metadata }: Service, settle: () => void): void {
    const { name = '', uid, resourceVersion } = metadata
    const target = { namespace: this.#owner.hostNamespace, name }
    const releasing = this.#host
      .delete(services, target, { preconditions: { uid, resourceVersion } })
      .then(
        () => undefined,
        (error: unknown) => {
          if (!isNotFound(error) && !isConflict(error))
            this.#log.warn('could not release an address on the host', { error })
        },
      )
      .finally(() => {
        this.#releasing.delete(releasing)
        settle()
      })
    this.#releasing.add(releasing)
  }

  /** What the tenant is told: refusals in the host's words without its names; a host that is away may come back. */
  #refusal({ metadata }: Service, error: unknown): unknown {
    if (!(error instanceof ApiError)) return error
    const { namespace = '', name = '' } = metadata
    const scrub = createScrub(this.#owner, namespace, [{ kind: 'Service', name }])
    if (isTransient(error) || error.code === 401) {
      this.#log.warn('the host gives no address', { error })
      return serviceUnavailable(`the host gives no address just now: ${scrub(error.message)}`, retrySeconds)
    }
    if (error.code === 422) {
      const causes = error.status.details?.causes ?? []
      const errors = causes.map(({ field = 'spec', message = '' }) => fieldInvalid(field, '', scrub(message)))
      if (errors.length > 0) return invalid({ group: '', kind: 'Service' }, name, errors)
    }
    const { details: _, ...status } = error.status
    return new ApiError({ ...status, message: scrub(error.message) })
  }

  #translation() {
    const policy = { podSecurity: 'baseline' } as const
    return {
      owner: this.#owner,
      policy,
      workloadServiceAccount: '',
      api: undefined,
      dns: undefined,
      servicesOf: () => [],
    }
  }
}

/** A replacement of a Service that is gone is an attempt to create one, which upstream answers with 500. */
const hasMoved = (error: unknown): boolean =>
  error instanceof ApiError &&
  error.message !== foreignText &&
  (error.code === 500 || isConflict(error) || isNotFound(error))

const foreignText = 'the host has a Service of the name that belongs to this one, and it is not its copy'

const nothing = (object: KubeObject): Reservation => ({ object, confirm: () => {}, release: () => {} })

/** An update that has the address already: the host Service is there, or sync makes it with this address. */
function keepsAddress({ spec }: Service, before: Service | undefined): boolean {
  const had = before?.spec?.clusterIP ?? ''
  if (had === '' || had === 'None') return false
  const asked = spec?.clusterIP ?? ''
  return asked === '' || asked === had
}

type Addresses = {
  readonly clusterIP?: string | undefined
  readonly clusterIPs?: readonly string[] | undefined
  readonly ipFamilies?: readonly string[] | undefined
  readonly ipFamilyPolicy?: string | undefined
}

function addressed(object: KubeObject, given: Addresses): KubeObject {
  const { clusterIP = '', clusterIPs = [clusterIP] } = given
  if (clusterIP === '') return object
  const spec = object['spec'] as Addresses
  const family = clusterIP.includes(':') ? 'IPv6' : 'IPv4'
  const ipFamilies = given.ipFamilies ?? spec.ipFamilies ?? [family]
  const ipFamilyPolicy = given.ipFamilyPolicy ?? spec.ipFamilyPolicy ?? 'SingleStack'
  return { ...object, spec: { ...spec, clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } }
}

function withoutAddresses(object: KubeObject): KubeObject {
  const {
    clusterIP: _,
    clusterIPs: __,
    ipFamilies: ___,
    ipFamilyPolicy: ____,
    ...spec
  } = object['spec'] as Addresses & Readonly<Record<string, unknown>>
  return { ...object, spec }
}
