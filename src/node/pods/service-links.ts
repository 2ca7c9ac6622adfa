// The variables that tell a container which services there are; always at least the cluster's own API.
// Upstream: pkg/kubelet/envvars.

import type { Service } from '../../api/models.ts'

export interface ServiceLinks {
  /** Of the pod's namespace; empty when it wants no links. */
  readonly services: readonly Service[]
  /** default/kubernetes: in every container. */
  readonly kubernetes: Service | undefined
}

export function serviceVariables({ services, kubernetes }: ServiceLinks): Readonly<Record<string, string>> {
  const all = [...(kubernetes === undefined ? [] : [kubernetes]), ...services]
  return Object.assign({}, ...all.filter(hasAddress).map(variablesOf)) as Record<string, string>
}

const hasAddress = ({ spec }: Service): boolean =>
  spec?.clusterIP !== undefined &&
  spec.clusterIP !== '' &&
  spec.clusterIP !== 'None' &&
  (spec.ports?.length ?? 0) > 0

const asVariable = (name: string): string => name.toUpperCase().replaceAll(/[-.]/g, '_')

function variablesOf({ metadata, spec }: Service): Record<string, string> {
  const prefix = asVariable(metadata.name ?? '')
  const address = spec?.clusterIP ?? ''
  const ports = spec?.ports ?? []
  const result: Record<string, string> = {
    [`${prefix}_SERVICE_HOST`]: address,
    [`${prefix}_SERVICE_PORT`]: String(ports[0]?.port),
  }
  for (const [index, { name = '', port, protocol = 'TCP' }] of ports.entries()) {
    const lower = protocol.toLowerCase()
    const url = `${lower}://${address.includes(':') ? `[${address}]` : address}:${port}`
    const full = `${prefix}_PORT_${port}_${protocol}`
    if (name !== '') result[`${prefix}_SERVICE_PORT_${asVariable(name)}`] = String(port)
    if (index === 0) result[`${prefix}_PORT`] = url
    result[full] = url
    result[`${full}_PROTO`] = lower
    result[`${full}_PORT`] = String(port)
    result[`${full}_ADDR`] = address
  }
  return result
}
