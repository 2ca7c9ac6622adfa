// The environment variables that a kubelet would make from Services: made here from the tenant's own.
// Upstream: pkg/kubelet/envvars and getServiceEnvVarMap.

import type { EnvVar, Pod, Service } from '../../api/models.ts'
import type { TranslationContext } from './translation.ts'

interface Port {
  readonly name?: string | undefined
  readonly port: number
  readonly protocol?: string | undefined
}

/**
 * The variables for Services of the pod's namespace, if it wants them, and for the plane's API, which it always gets:
 * a host's kubelet would else put in its own API's address. In a fixed order, so that `$(NAME)` can follow.
 */
export function serviceEnvironment(pod: Pod, context: TranslationContext): readonly EnvVar[] {
  const variables = new Map<string, string>()
  if (pod.spec?.enableServiceLinks !== false) {
    const services = [...context.servicesOf(pod.metadata.namespace ?? '')].sort(byName)
    for (const service of services) {
      const address = service.spec?.clusterIP
      if (address === undefined || address === '' || address === 'None') continue
      addService(variables, service.metadata.name ?? '', address, service.spec?.ports ?? [])
    }
  }
  const api = context.api ?? unreachableApi(context)
  if (api !== undefined) {
    addService(variables, 'kubernetes', api.host, [{ name: 'https', port: api.port, protocol: 'TCP' }])
  }
  return [...variables].map(([name, value]) => ({ name, value }))
}

/** Where pods cannot reach the API they are told the address that it has in the plane: wrong for them, yet no one else's. */
function unreachableApi(context: TranslationContext): { host: string; port: number } | undefined {
  const service = context.servicesOf('default').find(({ metadata }) => metadata.name === 'kubernetes')
  return { host: service?.spec?.clusterIP ?? 'kubernetes.default.svc', port: 443 }
}

const byName = (one: Service, other: Service): number =>
  (one.metadata.name ?? '') < (other.metadata.name ?? '') ? -1 : 1

function addService(
  variables: Map<string, string>,
  name: string,
  address: string,
  ports: readonly Port[],
): void {
  const [first] = ports
  if (first === undefined) return
  const prefix = variableName(name)
  const host = address.includes(':') ? `[${address}]` : address
  variables.set(`${prefix}_SERVICE_HOST`, address)
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port))
  for (const port of ports) {
    if (port.name === undefined || port.name === '') continue
    variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port))
  }
  const urlOf = ({ protocol = 'TCP', port }: Port): string => `${protocol.toLowerCase()}://${host}:${port}`
  variables.set(`${prefix}_PORT`, urlOf(first))
  for (const port of ports) {
    const { protocol = 'TCP' } = port
    const key = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
    variables.set(key, urlOf(port))
    variables.set(`${key}_PROTO`, protocol.toLowerCase())
    variables.set(`${key}_PORT`, String(port.port))
    variables.set(`${key}_ADDR`, address)
  }
}

const variableName = (name: string): string => name.toUpperCase().replaceAll('-', '_')
