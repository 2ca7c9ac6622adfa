// Stands in for nodes: every pod runs and is ready at once, and is gone as soon as it is deleted.
// What a pod really does is the host's, or the node actor's.

import type { Pod } from '../../src/api/models.ts'
import type { AnyObject, Client, ResourceRef } from '../../src/client/client.ts'
import { isNotFound } from '../../src/client/failures.ts'
import { createInformer } from '../../src/client/informer.ts'
import { splitKey } from '../../src/client/objects.ts'
import { pods } from '../../src/client/resources.ts'
import { timeOf } from '../../src/controllers/conditions.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { silentLogger as log } from '../../src/platform/log.ts'
import { systemRandom as random } from '../../src/platform/random.ts'
import { createController } from '../../src/reconcile/controller.ts'
import { fromInformer } from '../../src/reconcile/source.ts'

export interface SimulationOptions {
  /** The exit code with which a pod's containers end at once; undefined lets it run on. */
  readonly exitCode?: ((pod: Pod) => number | undefined) | undefined
  readonly clock?: Clock | undefined
}

/** Pods of which `mayRun` says no stay pending. */
export function simulatePods(
  client: Client,
  mayRun: (pod: Pod) => boolean = () => true,
  { exitCode = () => undefined, clock = systemClock }: SimulationOptions = {},
): AsyncDisposable {
  const informer = createInformer({ client, resource: pods })
  let address = 0
  const controller = createController({
    name: 'simulated nodes',
    sources: [fromInformer(informer)],
    reconcile: async (key) => {
      const pod = informer.version(key)?.object
      if (pod?.metadata.deletionTimestamp !== undefined) {
        await client.delete(pods, splitKey(key), { gracePeriodSeconds: 0 }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
      } else if (pod !== undefined && pod.status?.phase === 'Pending' && mayRun(pod)) {
        address += 1
        const now = timeOf(clock.now())
        const code = exitCode(pod)
        const next = code === undefined ? running(pod, `10.1.0.${address}`, now) : ended(pod, code, now)
        await client.updateStatus(pods, next)
      }
      return undefined
    },
    clock,
    random,
    log,
  })
  return {
    [Symbol.asyncDispose]: async () => {
      await controller[Symbol.asyncDispose]()
      await informer[Symbol.asyncDispose]()
    },
  }
}

function ended(pod: Pod, exitCode: number, now: string): Pod {
  const containerStatuses = (pod.spec?.containers ?? []).map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode, finishedAt: now, startedAt: now } },
  }))
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
  return { ...pod, status: { ...pod.status, phase, containerStatuses } }
}

function running(pod: Pod, podIP: string, lastTransitionTime: string): Pod {
  const conditions = ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime,
  }))
  return { ...pod, status: { ...pod.status, phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions } }
}

/** Resolves when the objects of a resource are as asked for; the test's time limit ends the wait. */
export async function until<T extends AnyObject>(
  client: Client,
  resource: ResourceRef<T>,
  isDone: (objects: readonly T[]) => boolean,
): Promise<readonly T[]> {
  await using informer = createInformer({ client, resource })
  await informer.synced
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = () => {
    if (isDone(informer.list())) resolve()
  }
  informer.on(look)
  look()
  await promise
  return informer.list()
}
