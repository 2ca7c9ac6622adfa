// The downward API: what a pod tells its containers about itself.
// Upstream: pkg/fieldpath and pkg/api/v1/resource.

import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from '../../api/models.ts'
import { parseQuantity, quantityMilliValue, quantityValue } from '../../api/quantity.ts'

/** `undefined`: there is no such field. */
export function fieldValue(pod: Pod, { fieldPath }: ObjectFieldSelector): string | undefined {
  const { metadata, spec, status } = pod
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath)
  if (subscript !== null) {
    const map = subscript[1] === 'labels' ? metadata.labels : metadata.annotations
    return map?.[subscript[2] ?? ''] ?? ''
  }
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name
    case 'metadata.namespace':
      return metadata.namespace
    case 'metadata.uid':
      return metadata.uid
    case 'metadata.labels':
      return formatMap(metadata.labels)
    case 'metadata.annotations':
      return formatMap(metadata.annotations)
    case 'spec.nodeName':
      return spec?.nodeName
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName
    case 'status.hostIP':
      return status?.hostIP
    case 'status.hostIPs':
      return status?.hostIPs?.map(({ ip }) => ip).join(',')
    case 'status.podIP':
      return status?.podIP
    case 'status.podIPs':
      return status?.podIPs?.map(({ ip }) => ip).join(',')
    default:
      return undefined
  }
}

function formatMap(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n')
}

/** A limit that is not set is what the node can give. `undefined`: there is no such container or resource. */
export function resourceValue(
  pod: Pod,
  {
    selector,
    own,
    allocatable,
  }: {
    readonly selector: ResourceFieldSelector
    readonly own: Container | undefined
    readonly allocatable: Readonly<Record<string, string>>
  },
): string | undefined {
  const { containerName = '', resource, divisor } = selector
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  const container = containerName === '' ? own : all.find(({ name }) => name === containerName)
  const [kind, name = ''] = [
    resource.slice(0, resource.indexOf('.')),
    resource.slice(resource.indexOf('.') + 1),
  ]
  if (container === undefined || (kind !== 'limits' && kind !== 'requests')) return undefined
  const given = container.resources?.[kind]?.[name]
  return divided(given ?? (kind === 'limits' ? allocatable[name] : '0') ?? '0', {
    divisor,
    isCpu: name === 'cpu',
  })
}

function divided(
  amount: string,
  { divisor = '1', isCpu }: { divisor?: string | undefined; isCpu: boolean },
): string {
  const quantity = parseQuantity(amount)
  const by = parseQuantity(divisor === '0' ? '1' : divisor)
  if (quantity === undefined || by === undefined) return '0'
  const [one, other] = isCpu
    ? [quantityMilliValue(quantity), quantityMilliValue(by)]
    : [quantityValue(quantity), quantityValue(by)]
  return String(Math.ceil(one / other))
}
