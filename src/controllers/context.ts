// What every controller is given: a client of its own, shared copies of the world, time, chance and a log.
// Which controllers there are is start.ts's.

import type { AnyObject, Client, ResourceRef } from '../client/client.ts'
import { isConflict, isNamespaceTerminating } from '../client/failures.ts'
import { createInformer, type Informer } from '../client/informer.ts'
import { createRecorder, type Recorder } from '../client/recorder.ts'
import type { Authority } from '../pki/certificate.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import { type Controller, type ControllerOptions, createController } from '../reconcile/controller.ts'

/** A resource as it is served now, one entry a version. */
export interface ServedResource {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly isNamespaced: boolean
  readonly verbs: readonly string[]
}

export interface ResourceLister {
  list(): readonly ServedResource[]
  /** Tells that the list has changed; returns the function that ends it. */
  onChange(listener: () => void): () => void
}

export interface ControllersOptions {
  /** A client that acts as the service account of this name in kube-system. */
  readonly clientFor: (name: string) => Client
  readonly resources: ResourceLister
  /** The PEM bundle that pods trust for this API; asked at each use, because authorities renew. */
  readonly caBundle: () => string
  /** Signs client certificates; asked at each use. Without it approved requests stay unsigned. */
  readonly authority?: (() => Authority) | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** One informer a resource for all controllers. */
export interface SharedInformers {
  of<T extends AnyObject>(resource: ResourceRef<T>): Informer<T>
  /** Stops one that is no longer served; the next `of` starts anew. */
  drop(resource: ResourceRef): Promise<void>
}

export interface Context extends ControllersOptions {
  readonly informers: SharedInformers
  readonly recorderFor: (name: string) => Recorder
  /** Builds a controller with this context's clock, chance and log. */
  readonly control: (
    options: Pick<ControllerOptions, 'name' | 'sources' | 'reconcile' | 'workers' | 'reconcileTimeoutMs'>,
  ) => Controller
}

/** Reads everything, as upstream's garbage collector may: the shared copies are read in its name. */
const readerName = 'generic-garbage-collector'

export interface RunningContext extends Context, AsyncDisposable {}

export function createContext(options: ControllersOptions): RunningContext {
  const { clientFor, clock, random, log } = options
  const client = clientFor(readerName)
  const running = new Map<string, Informer<AnyObject>>()
  const recorders: Recorder[] = []
  const keyOf = ({ group, resource }: ResourceRef) => `${group}/${resource}`
  const informers: SharedInformers = {
    of: <T extends AnyObject>(resource: ResourceRef<T>) => {
      const known = running.get(keyOf(resource)) as Informer<T> | undefined
      if (known !== undefined) return known
      const informer = createInformer({ client, resource, clock, random, log })
      running.set(keyOf(resource), informer as unknown as Informer<AnyObject>)
      return informer
    },
    drop: async (resource) => {
      const known = running.get(keyOf(resource))
      running.delete(keyOf(resource))
      await known?.[Symbol.asyncDispose]()
    },
  }
  return {
    ...options,
    informers,
    recorderFor: (name) => {
      const recorder = createRecorder({ client: clientFor(name), component: name, clock, log })
      recorders.push(recorder)
      return recorder
    },
    control: (wanted) => createController({ ...wanted, clock, random, log, isExpected }),
    [Symbol.asyncDispose]: async () => {
      const all = [...running.values(), ...recorders]
      running.clear()
      await Promise.all(all.map((one) => one[Symbol.asyncDispose]()))
    },
  }
}

/** Somebody else was quicker, or the namespace goes away: the next look settles it. */
function isExpected(error: unknown): boolean {
  return isConflict(error) || isNamespaceTerminating(error)
}
