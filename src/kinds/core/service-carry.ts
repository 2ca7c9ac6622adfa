// What an update of a Service may leave out because it was given to it: addresses and ports are carried over.
// What no longer applies to the new type is dropped, unless the client changed it too: then validation says so.
// Upstream: patchAllocatedValues, dropTypeDependentFields, normalizeClusterIPs.

import type { KubeObject } from '../../api/object.ts'
import { type Fields, fieldsOf, isEqual, isZero, itemsOf, listOf, numberOf, textOf } from '../fields.ts'
import { drop, each, pipe, set, take } from '../fill.ts'

export function carryOver(object: KubeObject, old: KubeObject): KubeObject {
  const before = fieldsOf(old['spec'])
  const spec = pipe(
    fieldsOf(object['spec']),
    (one) => keepGiven(one, before),
    (one) => syncClusterIps(one, before),
    (one) => dropUseless(one, before),
  )
  const changed = set(object, 'spec', spec)
  return spec['type'] === 'LoadBalancer' ? changed : withoutBalancer(changed)
}

const needsAddress = (spec: Fields): boolean => spec['type'] !== 'ExternalName'
export const needsNodePort = (spec: Fields): boolean =>
  spec['type'] === 'NodePort' ||
  (spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)
export const needsHealthPort = (spec: Fields): boolean =>
  spec['type'] === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local'
/** Reachable from outside, so that a policy for outside traffic makes sense. */
export const isExternal = (spec: Fields): boolean =>
  spec['type'] === 'LoadBalancer' ||
  spec['type'] === 'NodePort' ||
  (spec['type'] === 'ClusterIP' && listOf(spec['externalIPs']).length > 0)

function keepGiven(spec: Fields, before: Fields): Fields {
  let next = spec
  if (needsAddress(before) && needsAddress(next)) {
    if (isZero(next['clusterIP'])) next = take(next, 'clusterIP', before)
    if (isZero(next['clusterIPs'])) next = take(next, 'clusterIPs', before)
    for (const name of ['ipFamilies', 'ipFamilyPolicy'])
      if (isZero(next[name])) next = take(next, name, before)
  }
  if (needsNodePort(before) && needsNodePort(next)) {
    // Ports are known by name; a number that another port took is not given twice.
    const given = itemsOf(before['ports'])
    const taken = new Set(itemsOf(next['ports']).map((port) => port['nodePort']))
    next = each(next, 'ports', (port) => {
      if (!isZero(port['nodePort'])) return port
      const same = given.find((one) => textOf(one['name']) === textOf(port['name']))
      const nodePort = same?.['nodePort']
      return isZero(nodePort) || taken.has(nodePort) ? port : set(port, 'nodePort', nodePort)
    })
  }
  if (needsHealthPort(before) && needsHealthPort(next) && isZero(next['healthCheckNodePort'])) {
    next = take(next, 'healthCheckNodePort', before)
  }
  return next
}

/** Clients that know only `clusterIP`, or change only that one, get the list to match. */
export function syncClusterIps(spec: Fields, before: Fields | undefined): Fields {
  const address = textOf(spec['clusterIP'])
  const list = listOf(spec['clusterIPs'])
  if (before === undefined) {
    if (address !== '' && list.length === 0) return set(spec, 'clusterIPs', [address])
    return spec
  }
  const isAddressChanged = address !== textOf(before['clusterIP'])
  if (!isAddressChanged || !isEqual(list, before['clusterIPs'])) return spec
  return address === '' ? drop(spec, 'clusterIPs') : set(spec, 'clusterIPs', [address])
}

function dropUseless(spec: Fields, before: Fields): Fields {
  let next = spec
  const dropUnchanged = (...names: readonly string[]) => {
    for (const name of names) if (isEqual(next[name], before[name])) next = drop(next, name)
  }
  if (needsAddress(before) && !needsAddress(next)) {
    dropUnchanged('clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy')
  }
  if (needsNodePort(before) && !needsNodePort(next) && hasSameNodePorts(next, before)) {
    next = each(next, 'ports', (port) => drop(port, 'nodePort'))
  }
  if (needsHealthPort(before) && !needsHealthPort(next)) dropUnchanged('healthCheckNodePort')
  if (before['type'] === 'LoadBalancer' && next['type'] !== 'LoadBalancer') {
    dropUnchanged('allocateLoadBalancerNodePorts', 'loadBalancerClass')
  }
  if (isExternal(before) && !isExternal(next)) dropUnchanged('externalTrafficPolicy')
  return next
}

function hasSameNodePorts(spec: Fields, before: Fields): boolean {
  const numbers = (one: Fields) => new Set(itemsOf(one['ports']).map((port) => numberOf(port['nodePort'])))
  const [next, old] = [numbers(spec), numbers(before)]
  return [...next].every((port) => port === 0 || old.has(port))
}

function withoutBalancer(object: KubeObject): KubeObject {
  const status = fieldsOf(object['status'])
  return isZero(status['loadBalancer']) ? object : set(object, 'status', set(status, 'loadBalancer', {}))
}
