// Which pods stand behind a service, with which addresses and ports. Pure.
// Upstream: pkg/controller/endpointslice and k8s.io/endpointslice. How they are written down is the two controllers'.

import type { Pod, Service, ServicePort } from '../../api/models.ts'
import { fromLabelMap } from '../../api/select.ts'
import type { Version } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/objects.ts'
import type { ToKeys } from '../../reconcile/source.ts'
import { isFinished, isReady, isTerminating } from '../workloads/pods.ts'

export interface BackendPort {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly appProtocol?: string | undefined
}

export interface Backend {
  readonly pod: Pod
  readonly address: string
  readonly ports: readonly BackendPort[]
  /** Takes traffic: ready and staying, or published in any state. */
  readonly isReady: boolean
  readonly isServing: boolean
  readonly isTerminating: boolean
  readonly hostname: string | undefined
}

export type AddressType = 'IPv4' | 'IPv6'

export const hasSelector = ({ spec }: Service): boolean =>
  spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0

export const isHeadless = ({ spec }: Service): boolean => spec?.clusterIP === 'None'

/** The families a service speaks, the first one first. */
export function addressTypesOf({ spec }: Service): readonly AddressType[] {
  const families = spec?.ipFamilies ?? []
  if (families.length > 0)
    return families.filter((one): one is AddressType => one === 'IPv4' || one === 'IPv6')
  return [spec?.clusterIP?.includes(':') === true ? 'IPv6' : 'IPv4']
}

/** In the order of the pods' names, so that the same world always gives the same answer. */
export function backendsOf(
  service: Service,
  pods: readonly Pod[],
  addressType: AddressType,
): readonly Backend[] {
  const selector = fromLabelMap(service.spec?.selector)
  const sorted = [...pods].sort((left, right) =>
    (left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1,
  )
  return sorted
    .filter((pod) => selector.matches(pod.metadata.labels) && !isFinished(pod))
    .flatMap((pod) => backendOf(service, pod, addressType) ?? [])
}

function backendOf(service: Service, pod: Pod, addressType: AddressType): Backend | undefined {
  const address = addressOf(pod, addressType)
  if (address === undefined) return undefined
  const isPublished = service.spec?.publishNotReadyAddresses === true
  const isUp = isReady(pod)
  const { hostname, subdomain } = pod.spec ?? { containers: [] }
  const isNamed = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name
  return {
    pod,
    address,
    ports: (service.spec?.ports ?? []).flatMap((port) => portOf(port, pod) ?? []),
    isReady: isPublished || (isUp && !isTerminating(pod)),
    isServing: isUp,
    isTerminating: isTerminating(pod),
    hostname: isNamed ? hostname : undefined,
  }
}

function addressOf({ status }: Pod, addressType: AddressType): string | undefined {
  const addresses = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)]
  return addresses.find(
    (address) =>
      address !== undefined && address !== '' && address.includes(':') === (addressType === 'IPv6'),
  )
}

/** Undefined when the pod has no port of that name: it then serves the others only. */
function portOf(servicePort: ServicePort, pod: Pod): BackendPort | undefined {
  const { name = '', protocol = 'TCP', appProtocol, targetPort = servicePort.port } = servicePort
  const port =
    typeof targetPort === 'number' ? targetPort || servicePort.port : namedPort(pod, targetPort, protocol)
  if (port === undefined) return undefined
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }
}

function namedPort({ spec }: Pod, name: string, protocol: string): number | undefined {
  const sidecars = (spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  return [...(spec?.containers ?? []), ...sidecars]
    .flatMap(({ ports = [] }) => ports)
    .find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort
}

export function targetOf({ metadata }: Pod) {
  return { kind: 'Pod', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }
}

/** The labels of a service that what is written for it takes over: not those that mean something there. */
export function inheritedLabels(
  service: Service,
  reserved: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(service.metadata.labels ?? {}).filter(([label]) => !reserved.has(label)),
  )
}

export const headlessLabel = 'service.kubernetes.io/headless'

/** The services that a pod stands behind. */
export function servicesOf(services: Informer<Service>): ToKeys<Pod> {
  return ({ header }: Version<Pod>) =>
    services
      .list(header.namespace)
      .filter(
        (service) => hasSelector(service) && fromLabelMap(service.spec?.selector).matches(header.labels),
      )
      .map(({ metadata }) => keyOf(metadata))
}
