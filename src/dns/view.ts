// Services and endpoint slices as the records need them: by name, by address, by namespace.
// What is answered from them is records.ts's.

import type { EndpointSlice, Service } from '../api/models.ts'
import type { Informer } from '../client/informer.ts'

export interface DnsView {
  service(namespace: string, name: string): Service | undefined
  hasServices(namespace: string): boolean
  serviceAt(clusterIP: string): Service | undefined
  slicesOf(service: Service): readonly EndpointSlice[]
  /** The slices that hold the address. */
  slicesAt(address: string): readonly EndpointSlice[]
}

export const serviceNameLabel = 'kubernetes.io/service-name'

interface Copies {
  readonly services: Informer<Service>
  readonly slices: Informer<EndpointSlice>
}

export function createDnsView({ services, slices }: Copies): DnsView {
  services.addIndex('clusterIP', ({ object }) => clusterIPsOf(object))
  slices.addIndex('service', ({ header }) => {
    const name = header.labels[serviceNameLabel]
    return name === undefined ? [] : [`${header.namespace}/${name}`]
  })
  slices.addIndex('address', ({ object }) => [
    ...new Set((object.endpoints ?? []).flatMap(({ addresses }) => addresses)),
  ])
  return {
    service: (namespace, name) => services.get(namespace, name),
    hasServices: (namespace) => services.list(namespace).length > 0,
    serviceAt: (clusterIP) => services.byIndex('clusterIP', clusterIP)[0],
    slicesOf: ({ metadata }) => slices.byIndex('service', `${metadata.namespace}/${metadata.name}`),
    slicesAt: (address) => slices.byIndex('address', address),
  }
}

export function clusterIPsOf({ spec }: Service): readonly string[] {
  const all = [spec?.clusterIP ?? '', ...(spec?.clusterIPs ?? [])]
  return [...new Set(all.filter((address) => address !== '' && address !== 'None'))]
}
