// The copies of both worlds that sync looks at: everything it needs of the plane, and of the host only its own.

import type { AnyObject, Client, ResourceRef } from '../client/client.ts'
import { createInformer, type Informer, type InformerOptions } from '../client/informer.ts'
import { configMaps, nodes, persistentVolumeClaims, pods, secrets, services } from '../client/resources.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import { tombstones, type World } from './context.ts'
import { podIndexes } from './mirrored.ts'
import { type Owner, planeLabel } from './owner.ts'

export interface WorldOptions {
  readonly virtual: Client
  readonly host: Client
  readonly owner: Owner
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface RunningWorld extends World, AsyncDisposable {
  readonly synced: Promise<void>
  /** Why a side cannot be read just now. */
  readonly failure: { readonly virtual: unknown; readonly host: unknown }
  /** The newest revision that was heard of from the plane. */
  readonly revision: string
}

export function openWorld({ virtual, host, owner, clock, random, log }: WorldOptions): RunningWorld {
  const parts = { clock, random, log }
  const ofPlane = <T extends AnyObject>(
    resource: ResourceRef<T>,
    indexes: InformerOptions<T>['indexes'] = {},
  ) => createInformer({ client: virtual, resource, indexes, ...parts })
  const ofHost = <T extends AnyObject>(
    resource: ResourceRef<T>,
    indexes: InformerOptions<T>['indexes'] = {},
  ) =>
    createInformer({
      client: host,
      resource,
      indexes,
      namespace: owner.hostNamespace,
      labelSelector: `${planeLabel}=${owner.planeUid}`,
      ...parts,
    })
  const world: World = {
    virtual: {
      pods: ofPlane(pods, podIndexes()),
      services: ofPlane(services),
      configMaps: ofPlane(configMaps),
      secrets: ofPlane(secrets),
      claims: ofPlane(persistentVolumeClaims),
      nodes: ofPlane(nodes),
      tombstones: ofPlane(tombstones),
    },
    host: {
      pods: ofHost(pods, podIndexes()),
      services: ofHost(services),
      configMaps: ofHost(configMaps),
      secrets: ofHost(secrets),
      claims: ofHost(persistentVolumeClaims),
    },
  }
  const virtualInformers: readonly AnyInformer[] = Object.values(world.virtual)
  const hostInformers: readonly AnyInformer[] = Object.values(world.host)
  const all = [...virtualInformers, ...hostInformers]
  const synced = Promise.all(all.map((informer) => informer.synced)).then(() => undefined)
  synced.catch(() => undefined)
  const failureOf = (informers: readonly AnyInformer[]): unknown =>
    informers.find(({ failure }) => failure !== undefined)?.failure
  return {
    ...world,
    synced,
    get failure() {
      return { virtual: failureOf(virtualInformers), host: failureOf(hostInformers) }
    },
    get revision() {
      return String(Math.max(0, ...virtualInformers.map(({ revision = '0' }) => Number(revision))))
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((informer) => informer[Symbol.asyncDispose]()))
    },
  }
}

type AnyInformer = Pick<Informer<AnyObject>, 'failure' | 'revision' | 'synced'> & AsyncDisposable
