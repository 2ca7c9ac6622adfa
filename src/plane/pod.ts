// A plane as the pod of a release: finds its host, opens beside it, keeps its admin's kubeconfig, runs the release.
// What is applied there is release.ts's; the process around it is main.ts's.

import type { Client } from '../client/client.ts'
import { connectInCluster } from '../client/in-cluster.ts'
import { kubeconfigText } from '../client/kubeconfig-file.ts'
import { configMaps, secrets, services } from '../client/resources.ts'
import { findIn } from '../deploy/apply/served.ts'
import { type Exposed, type Pointer, readPointer } from '../deploy/pointer.ts'
import { kubeconfigKeys } from '../deploy/reach.ts'
import { labelsOf, namesOf, planePort, type ReleaseNames } from '../deploy/release-names.ts'
import { systemClock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import { systemRandom } from '../platform/random.ts'
import { Shutdown } from '../platform/shutdown.ts'
import { startExposing } from './expose.ts'
import type { Plane } from './plane.ts'
import { startReleaseLoop } from './release.ts'
import { openSyncedPlane } from './sync.ts'

export interface PodOptions {
  readonly release: string
  /** Where the claim is mounted. */
  readonly dataDirectory: string
  readonly podIP: string
  /** What this program is; the pointer of a newer one is for the next pod. */
  readonly programDigest: string | undefined
  readonly log: Logger
}

export interface RunningPod extends AsyncDisposable {
  readonly plane: Plane
  /** Resolves after a signal, when everything has stopped; rejects when the plane can write no more. */
  readonly ended: Promise<unknown>
}

/** Rejects with an error for a person who reads the pod's log. */
export async function startPod(options: PodOptions): Promise<RunningPod> {
  const { release, dataDirectory, podIP, programDigest, log } = options
  const clock = systemClock
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const shutdown = new Shutdown({ clock, log })
  try {
    const host = await connectInCluster({ userAgent: 'k3v', clock })
    if (host === undefined) throw new Error('this is no pod: KUBERNETES_SERVICE_HOST is not set')
    shutdown.add('host client', host.client)
    const { client, namespace } = host
    const names = namesOf(release)
    const { root, serviceIP, pointer } = await findRelease(client, namespace, names)
    const exposed = { list: pointer?.package?.expose ?? [] }
    const { plane } = shutdown.add(
      'plane',
      await openSyncedPlane(
        {
          dataDirectory,
          listen: { host: '0.0.0.0', port: planePort },
          advertise: { address: podIP, port: planePort },
          kubernetesIP: serviceIP,
          serverNames: {
            dnsNames: [names.root, `${names.root}.${namespace}`, `${names.root}.${namespace}.svc`],
          },
          onFailure: failed.reject,
          clock,
          log,
        },
        {
          client,
          namespace,
          planeUid: root.uid,
          root,
          workloadServiceAccount: names.workloadAccount,
          apiAddress: { host: serviceIP, port: 443 },
          exposed: () => exposed.list.map(named),
        },
      ),
    )
    const keeper = { plane, client, namespace, names, root, serviceIP, log }
    await keepKubeconfig(keeper)
    shutdown.add('kubeconfig', renewing(keeper))
    startRelease({ ...keeper, programDigest, shutdown, exposed })
    log.info('the plane serves', { release, namespace, port: planePort })
    const ended = Promise.race([shutdown.untilSignal(), failed.promise]).finally(() => shutdown.stop())
    return { plane, ended, [Symbol.asyncDispose]: () => shutdown.stop() }
  } catch (error) {
    await shutdown.stop()
    throw error
  }
}

/** The loops that make of the plane a release. */
function startRelease({
  plane,
  client: host,
  namespace,
  names,
  root,
  log,
  programDigest,
  shutdown,
  exposed,
}: Started): void {
  const common = {
    virtual: plane.clientFor(),
    host,
    hostNamespace: namespace,
    release: names.release,
    clock: systemClock,
    log,
  }
  const exposing = startExposing({ ...common, root, exposed: () => exposed.list, random: systemRandom })
  shutdown.add('exposed services', exposing)
  const loop = startReleaseLoop({
    ...common,
    root: names.root,
    programDigest,
    findResource: findIn(plane.served),
    onExpose: (next) => {
      exposed.list = next
      exposing.refresh()
    },
  })
  shutdown.add('release', loop)
}

interface Root {
  readonly name: string
  readonly uid: string
}

async function findRelease(
  host: Client,
  namespace: string,
  names: ReleaseNames,
): Promise<{ readonly root: Root; readonly serviceIP: string; readonly pointer: Pointer | undefined }> {
  const [map, service] = await Promise.all([
    host.get(configMaps, { namespace, name: names.root }),
    host.get(services, { namespace, name: names.root }),
  ])
  const uid = map?.metadata.uid
  const serviceIP = service?.spec?.clusterIP
  if (uid === undefined) throw new Error(`ConfigMap ${names.root} is missing in namespace ${namespace}`)
  if (serviceIP === undefined)
    throw new Error(`Service ${names.root} has no address in namespace ${namespace}`)
  return { root: { name: names.root, uid }, serviceIP, pointer: readPointer(map?.data) }
}

function named({ service, name }: Exposed) {
  const [namespace = '', plain = ''] = service.split('/')
  return { namespace, service: plain, name }
}

interface Keeper {
  readonly plane: Plane
  readonly client: Client
  readonly namespace: string
  readonly names: ReleaseNames
  readonly root: Root
  readonly serviceIP: string
  readonly log: Logger
}

interface Started extends Keeper {
  readonly programDigest: string | undefined
  readonly shutdown: Shutdown
  readonly exposed: { list: readonly Exposed[] }
}

const dayMs = 24 * 3_600_000
const kubeconfigValidityMs = 30 * dayMs

/** Whoever reads Secrets of the host namespace administers the plane: said in the docs. */
async function keepKubeconfig({ plane, client, namespace, names, root, serviceIP }: Keeper): Promise<void> {
  const content = plane.kubeconfig({
    name: names.release,
    server: `https://${serviceIP}`,
    user: 'release-admin',
    validityMs: kubeconfigValidityMs,
  })
  const { certificate, key } = content.user as { readonly certificate: string; readonly key: string }
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
  await client.apply(
    secrets,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: names.kubeconfigSecret,
        namespace,
        labels: labelsOf(names.release, 'kubeconfig'),
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', ...root }],
      },
      type: 'Opaque',
      data: {
        [kubeconfigKeys.ca]: base64(content.ca ?? ''),
        [kubeconfigKeys.certificate]: base64(certificate),
        [kubeconfigKeys.key]: base64(key),
        kubeconfig: base64(kubeconfigText(content)),
      },
    } as never,
    { fieldManager: 'k3v-plane', force: true },
  )
}

/** A new certificate each day, so that a copy is good for a month and no longer. */
function renewing(keeper: Keeper): () => void {
  let cancel = (): void => undefined
  const renew = async (): Promise<void> => {
    try {
      await keepKubeconfig(keeper)
    } catch (error) {
      keeper.log.warn('the admin’s kubeconfig could not be renewed; trying again tomorrow', { error })
    }
    schedule()
  }
  const schedule = (): void => {
    cancel = systemClock.setTimer(dayMs, () => void renew())
  }
  schedule()
  return () => cancel()
}
