// Publishes Services of a package on the host, under the names that the package asks for.
// Which pods are behind one, sync marks on the host; where people find the port is the host's.

import type { Service } from '../api/models.ts'
import type { Client } from '../client/client.ts'
import { createInformer } from '../client/informer.ts'
import { splitKey } from '../client/objects.ts'
import { services } from '../client/resources.ts'
import type { Exposed } from '../deploy/pointer.ts'
import { labelsOf, partLabel, releaseLabel } from '../deploy/release-names.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import { createController } from '../reconcile/controller.ts'
import { fromInformer } from '../reconcile/source.ts'
import { exposeLabel } from '../sync/names.ts'
import { planeLabel } from '../sync/owner.ts'

export interface ExposeOptions {
  readonly virtual: Client
  readonly host: Client
  readonly hostNamespace: string
  readonly root: { readonly name: string; readonly uid: string }
  readonly release: string
  readonly exposed: () => readonly Exposed[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface Exposing extends AsyncDisposable {
  /** What is exposed has changed. */
  refresh(): void
}

const fieldManager = 'k3v-plane'

export function startExposing(options: ExposeOptions): Exposing {
  const { virtual, exposed, clock, random, log } = options
  const informer = createInformer({ client: virtual, resource: services, clock, random, log })
  const controller = createController({
    name: 'expose',
    sources: [fromInformer(informer)],
    workers: 1,
    reconcile: async (key, { signal }) => {
      const { namespace = '', name } = splitKey(key)
      const service = informer.get(namespace, name)
      for (const one of exposed().filter((wanted) => wanted.service === `${namespace}/${name}`)) {
        if (service === undefined) await withdraw(options, one.name, signal)
        else await publish(options, one, { service, signal })
      }
      await withdrawOthers(options, signal)
      return undefined
    },
    clock,
    random,
    log,
  })
  return {
    refresh: () => {
      for (const { service } of exposed()) controller.enqueue(service)
    },
    [Symbol.asyncDispose]: async () => {
      await controller[Symbol.asyncDispose]()
      await informer[Symbol.asyncDispose]()
    },
  }
}

interface Publishing {
  readonly service: Service
  readonly signal: AbortSignal
}

async function publish(
  options: ExposeOptions,
  { name, port }: Exposed,
  { service, signal }: Publishing,
): Promise<void> {
  const { host, hostNamespace: namespace, root, release, log } = options
  const from = service.spec?.ports?.find((one) => one.port === port)
  if (from === undefined) {
    log.warn('an exposed Service has no such port', {
      service: `${service.metadata.namespace}/${service.metadata.name}`,
      port,
    })
    return
  }
  const there = await host.get(services, { namespace, name }, { signal })
  if (there !== undefined && !isOurs(there, release)) {
    log.warn('a Service of the name that the package asks for is on the host already and not ours', { name })
    return
  }
  const wanted = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: labelsOf(release, 'expose'),
      annotations: { 'k3v.dev/publish': 'true' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', ...root }],
    },
    spec: {
      type: 'ClusterIP',
      selector: { [exposeLabel(name)]: 'true', [planeLabel]: root.uid },
      ports: [
        {
          name: from.name ?? 'main',
          protocol: from.protocol ?? 'TCP',
          port,
          targetPort: from.targetPort ?? port,
        },
      ],
    },
  }
  await host.apply(services, wanted, { fieldManager, force: true, signal })
}

/** Services of this release that nothing exposes any more. */
async function withdrawOthers(options: ExposeOptions, signal: AbortSignal): Promise<void> {
  const { host, hostNamespace: namespace, release, exposed } = options
  const labelSelector = `${releaseLabel}=${release},${partLabel}=expose`
  const names = new Set(exposed().map(({ name }) => name))
  const { items } = await host.list(services, { namespace, labelSelector, signal })
  for (const { metadata } of items) {
    if (!names.has(metadata.name ?? '')) await withdraw(options, metadata.name ?? '', signal)
  }
}

async function withdraw(
  { host, hostNamespace: namespace, release }: ExposeOptions,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const there = await host.get(services, { namespace, name }, { signal })
  if (there === undefined || !isOurs(there, release)) return
  await host.delete(services, { namespace, name }, { preconditions: { uid: there.metadata.uid }, signal })
}

const isOurs = ({ metadata }: Service, release: string): boolean =>
  metadata.labels?.[releaseLabel] === release && metadata.labels[partLabel] === 'expose'
