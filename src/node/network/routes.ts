// From a published address and port to a socket of this machine: pods directly, services through their ready endpoints.
// What programs listen on is published.ts's; the objects are cluster-view.ts's.

import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointSlice,
  Service,
  ServicePort,
} from '../../api/models.ts'
import type { Random } from '../../platform/random.ts'
import type { Protocol } from '../preload/channel.ts'
import type { Fictive } from '../preload/fictive.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Published, Socket } from './published.ts'

export interface Wanted {
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

export interface RouterOptions {
  readonly view: ClusterView
  readonly published: Published
  readonly fictive: Fictive
  /** Where the host's own API listens; it stands behind the Service `kubernetes`. */
  readonly api: Socket | undefined
  readonly nodeAddress: string
  readonly random: Random
}

export type Route = { readonly socket: Socket } | { readonly error: 'ECONNREFUSED' | 'EHOSTUNREACH' }

const refused: Route = { error: 'ECONNREFUSED' }

export class Router {
  readonly #options: RouterOptions

  constructor(options: RouterOptions) {
    this.#options = options
  }

  /** An address outside of the cluster is answered as it is. */
  find(wanted: Wanted): Route {
    const { view, published, fictive, api, nodeAddress } = this.#options
    const { protocol, address, port } = wanted
    if (!fictive.isCluster(address)) return { socket: { host: address, port } }
    const listener = published.find(protocol, address, port)
    if (listener !== undefined) return listener.isLocal ? refused : { socket: listener }
    if (address === nodeAddress) return port === api?.port ? { socket: api } : refused
    const service = view.serviceAt(address)
    if (service === undefined) return refused
    if (isKubernetes(service) && api !== undefined && port === 443) return { socket: api }
    return this.#throughService(service, wanted)
  }

  #throughService(service: Service, { protocol, port }: Wanted): Route {
    const servicePort = service.spec?.ports?.find(
      (one) => one.port === port && (one.protocol ?? 'TCP') === protocol,
    )
    if (servicePort === undefined) return refused
    const targets = this.#options.view.slicesOf(service).flatMap((slice) => targetsIn(slice, servicePort))
    const pick = targets[Math.floor(this.#options.random.fraction() * targets.length)]
    if (pick === undefined) return refused
    // An endpoint is a pod or a foreign address, never another service.
    const { fictive, published, api, nodeAddress } = this.#options
    if (!fictive.isCluster(pick.address)) return { socket: { host: pick.address, port: pick.port } }
    if (pick.address === nodeAddress && pick.port === api?.port) return { socket: api }
    const listener = published.find(protocol, pick.address, pick.port)
    return listener === undefined || listener.isLocal ? refused : { socket: listener }
  }
}

const isKubernetes = ({ metadata }: Service): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes'

interface Target {
  readonly address: string
  readonly port: number
}

function targetsIn(slice: EndpointSlice, servicePort: ServicePort): readonly Target[] {
  const port = slice.ports?.find((one) => isFor(one, servicePort))?.port
  if (port === undefined) return []
  return (slice.endpoints ?? []).filter(isReady).flatMap(({ addresses }) => {
    const [address] = addresses
    return address === undefined ? [] : [{ address, port }]
  })
}

const isFor = (port: DiscoveryEndpointPort, { name = '', protocol = 'TCP' }: ServicePort): boolean =>
  (port.name ?? '') === name && (port.protocol ?? 'TCP') === protocol

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false
