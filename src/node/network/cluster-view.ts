// What the map and the names are made from: services, endpoint slices and pods as informers hold them.
// Nothing is decided here.

import type { EndpointSlice, Pod, Service } from '../../api/models.ts'
import type { Informer } from '../../client/informer.ts'

export interface ClusterView {
  service(namespace: string, name: string): Service | undefined
  serviceAt(clusterIP: string): Service | undefined
  services(namespace: string): readonly Service[]
  slicesOf(service: Service): readonly EndpointSlice[]
  pod(namespace: string, name: string): Pod | undefined
}

export interface ViewOptions {
  readonly services: Informer<Service>
  readonly slices: Informer<EndpointSlice>
  readonly pods: Informer<Pod>
}

const byAddress = 'clusterIP'
const byService = 'service'

export function createClusterView({ services, slices, pods }: ViewOptions): ClusterView {
  services.addIndex(byAddress, ({ object }) => addressesOf(object))
  slices.addIndex(byService, ({ header }) => {
    const name = header.labels['kubernetes.io/service-name']
    return name === undefined ? [] : [`${header.namespace}/${name}`]
  })
  return {
    service: (namespace, name) => services.get(namespace, name),
    serviceAt: (clusterIP) => services.byIndex(byAddress, clusterIP)[0],
    services: (namespace) => services.list(namespace),
    slicesOf: ({ metadata }) => slices.byIndex(byService, `${metadata.namespace}/${metadata.name}`),
    pod: (namespace, name) => pods.get(namespace, name),
  }
}

function addressesOf({ spec }: Service): readonly string[] {
  const all = [spec?.clusterIP ?? '', ...(spec?.clusterIPs ?? [])]
  return [...new Set(all.filter((address) => address !== '' && address !== 'None'))]
}

/** Headless, or without any address of its own. */
export const isHeadless = ({ spec }: Service): boolean => spec?.clusterIP === 'None'
