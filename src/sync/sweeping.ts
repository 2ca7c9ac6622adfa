// Looks every half minute for what nobody needs any more: copies without an object, nodes without pods.
// What may go is sweep.ts's and nodes.ts's to say.

import type { AnyObject } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { configMaps, persistentVolumeClaims, pods, secrets, services } from '../client/resources.ts'
import type { SyncContext, World } from './context.ts'
import { ensureNode, removeUnusedNodes, singleNodeName } from './nodes.ts'
import { type SweptKind, sweep } from './sweep.ts'

const everyMs = 30_000

/** Every kind of copy, and where the objects are that they are copies of. */
export function sweptKinds({ host, virtual }: World): readonly SweptKind[] {
  const any = <T extends AnyObject>(informer: Informer<T>) => informer as unknown as Informer<AnyObject>
  return [
    { group: '', kind: 'Pod', resource: pods, host: any(host.pods), virtual: any(virtual.pods) },
    {
      group: '',
      kind: 'Service',
      resource: services,
      host: any(host.services),
      virtual: any(virtual.services),
    },
    {
      group: '',
      kind: 'ConfigMap',
      resource: configMaps,
      host: any(host.configMaps),
      virtual: any(virtual.configMaps),
    },
    { group: '', kind: 'Secret', resource: secrets, host: any(host.secrets), virtual: any(virtual.secrets) },
    {
      group: 'k3v.dev',
      kind: 'PodTokens',
      resource: secrets,
      host: any(host.secrets),
      virtual: any(virtual.pods),
    },
    {
      group: '',
      kind: 'PersistentVolumeClaim',
      resource: persistentVolumeClaims,
      host: any(host.claims),
      virtual: any(virtual.claims),
    },
  ]
}

export interface SweepingOptions {
  readonly isReserved?: ((hostName: string) => boolean) | undefined
  readonly onAlarm: (alarm: string | undefined) => void
}

export function startSweeping(context: SyncContext, options: SweepingOptions): AsyncDisposable {
  const stopping = new AbortController()
  const running = run(context, options, stopping.signal)
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new Error('sync is stopped'))
      await running
    },
  }
}

async function run(context: SyncContext, options: SweepingOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, world } = context
  const state = { missingSince: new Map<string, number>() }
  const unusedSince = new Map<string, number>()
  const kinds = sweptKinds(world)
  let last: string | undefined
  while (!signal.aborted) {
    try {
      const result = await sweep(context, kinds, { ...state, isReserved: options.isReserved }, signal)
      const alarm = result.ok ? undefined : result.alarm
      if (alarm !== undefined && alarm !== last) tellAlarm(context, alarm)
      last = alarm
      options.onAlarm(alarm)
      await removeUnusedNodes(context, unusedSince, signal)
      if (context.translation().policy.nodes !== 'seen') await ensureNode(context, singleNodeName, { signal })
    } catch (error) {
      if (!signal.aborted) log.warn('could not look for leftovers, tries again', { error })
    }
    await clock.sleep(everyMs, { signal }).catch(() => undefined)
  }
}

function tellAlarm({ log, recorder }: SyncContext, alarm: string): void {
  log.error('deletes nothing that is merely absent', { alarm })
  recorder.record({
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } },
    type: 'Warning',
    reason: 'DeletesHeld',
    message: alarm,
  })
}
