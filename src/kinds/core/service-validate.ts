// The rules for Services, in upstream's order.
// Upstream: validateService, ValidateServiceClusterIPsRelatedFields and what they call.
// What only the allocator can give (health check port, addresses) is not asked for here: it comes later.

import { isIP } from 'node:net'
import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText, validateLabels } from '../../api/validate/labels.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../api/validate/names.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isPresent,
  isZero,
  itemsOf,
  listOf,
  numberOf,
  textOf,
  textsOf,
} from '../fields.ts'
import { protocols } from '../pods/port-validate.ts'
import { checkPort, checkPortNumber, checkWord, whenPresent } from '../rules.ts'
import { checkCidr, checkIp, checkPublicIp } from './addresses.ts'
import { isExternal, needsHealthPort } from './service-carry.ts'

type Errors = readonly FieldError[]

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const onlyBalancer = "may only be used when `type` is 'LoadBalancer'"

export function validateService(object: KubeObject): Errors {
  const spec = fieldsOf(object['spec'])
  const ports = itemsOf(spec['ports'])
  return [
    ...(ports.length === 0 && !isHeadless(spec) && spec['type'] !== 'ExternalName'
      ? [fieldRequired('spec.ports')]
      : []),
    ...checkType(spec),
    ...checkPorts(ports),
    ...validateLabels(fieldsOf(spec['selector']) as Record<string, string>, 'spec.selector'),
    ...checkAffinity(spec),
    ...(spec['type'] === 'ExternalName' ? [] : checkClusterIps(spec)),
    ...textsOf(spec['externalIPs']).flatMap((address, index) => {
      const field = `spec.externalIPs[${index}]`
      const errors = checkIp(address, field)
      return errors.length > 0 ? errors : checkPublicIp(address, field)
    }),
    ...checkWord(spec['type'], types, 'spec.type'),
    ...checkNodePorts(spec, ports),
    ...checkBalancer(spec),
    ...checkPolicies(spec),
  ]
}

const isHeadless = (spec: Fields): boolean => textsOf(spec['clusterIPs']).join() === 'None'

function checkType(spec: Fields): Errors {
  const type = spec['type']
  if (type === 'LoadBalancer' || type === 'NodePort') {
    if (!isHeadless(spec)) return []
    return [fieldInvalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)]
  }
  if (type !== 'ExternalName') return []
  const name = textOf(spec['externalName']).replace(/\.$/, '')
  return [
    ...['clusterIPs', 'ipFamilies', 'ipFamilyPolicy']
      .filter((field) => !isZero(spec[field]))
      .map((field) => fieldForbidden(`spec.${field}`, 'may not be set for ExternalName services')),
    ...(name === ''
      ? [fieldRequired('spec.externalName')]
      : checkText(dnsSubdomain, name, 'spec.externalName')),
  ]
}

function checkPorts(ports: readonly Fields[]): Errors {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`
    const name = textOf(port['name'])
    const errors: FieldError[] = []
    if (name === '') {
      if (ports.length > 1) errors.push(fieldRequired(`${path}.name`))
    } else {
      errors.push(...checkText(dnsLabel, name, `${path}.name`))
      if (names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name))
      names.add(name)
    }
    return [
      ...errors,
      ...checkPortNumber(port['port'], `${path}.port`),
      ...checkWord(port['protocol'], protocols, `${path}.protocol`),
      ...checkPort(port['targetPort'], `${path}.targetPort`),
      ...whenPresent(port['appProtocol'], () =>
        checkText(qualifiedName, textOf(port['appProtocol']), `${path}.appProtocol`),
      ),
    ]
  })
}

const affinitySecondsMax = 86_400

function checkAffinity(spec: Fields): Errors {
  const errors = checkWord(spec['sessionAffinity'], ['ClientIP', 'None'], 'spec.sessionAffinity')
  const config = spec['sessionAffinityConfig']
  const field = 'spec.sessionAffinityConfig'
  if (spec['sessionAffinity'] === 'None') {
    if (!isPresent(config)) return errors
    return [...errors, fieldForbidden(field, 'must not be set when session affinity is None')]
  }
  if (spec['sessionAffinity'] !== 'ClientIP') return errors
  const seconds = at(config, 'clientIP', 'timeoutSeconds')
  const path = `${field}.clientIP.timeoutSeconds`
  if (!isPresent(seconds)) return [...errors, fieldRequired(path, 'when session affinity type is ClientIP')]
  const value = numberOf(seconds)
  if (value > 0 && value <= affinitySecondsMax) return errors
  return [...errors, fieldInvalid(path, value, `must be greater than 0 and less than ${affinitySecondsMax}`)]
}

function checkClusterIps(spec: Fields): Errors {
  const field = 'spec.clusterIPs'
  const address = textOf(spec['clusterIP'])
  const list = textsOf(spec['clusterIPs'])
  const errors: FieldError[] = []
  if (address !== '' && list.length === 0) errors.push(fieldRequired(field))
  else if (address !== '' && list[0] !== address)
    errors.push(fieldInvalid(field, list, 'first value must match `clusterIP`'))
  else if (address === '' && list.length > 0)
    errors.push(fieldInvalid(field, list, 'must be empty when `clusterIP` is not specified'))
  errors.push(...checkFamilies(spec))
  if (list[0] === 'None' && list.length > 1)
    return [...errors, fieldInvalid(field, list, "'None' must be the first and only value")]
  const wrong = list[0] === 'None' ? [] : list.flatMap((one, index) => checkIp(one, `${field}[${index}]`))
  errors.push(...wrong)
  if (list.length > 2) errors.push(fieldInvalid(field, list, 'may only hold up to 2 values'))
  if (wrong.length > 0 || isHeadless(spec)) return errors
  if (new Set(list.map(isIP)).size < list.length)
    errors.push(fieldInvalid(field, list, 'may specify no more than one IP for each IP family'))
  return [...errors, ...checkFamiliesMatch(list, textsOf(spec['ipFamilies']))]
}

function checkFamilies(spec: Fields): Errors {
  const families = textsOf(spec['ipFamilies'])
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
  const policy = spec['ipFamilyPolicy']
  return [
    ...families.flatMap((family, index) => {
      const path = `spec.ipFamilies[${index}]`
      const known = ['IPv4', 'IPv6']
      return [
        ...(known.includes(family) ? [] : [fieldNotSupported(path, family, known)]),
        ...(families.indexOf(family) < index ? [fieldDuplicate(path, family)] : []),
      ]
    }),
    ...(isPresent(policy) && !policies.includes(textOf(policy))
      ? [fieldNotSupported('spec.ipFamilyPolicy', policy, policies)]
      : []),
  ]
}

function checkFamiliesMatch(list: readonly string[], families: readonly string[]): Errors {
  return list.flatMap((address, index) => {
    const family = families[index]
    if (family === undefined || family === `IPv${isIP(address)}`) return []
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
    return [fieldInvalid(`spec.clusterIPs[${index}]`, address, detail)]
  })
}

function checkNodePorts(spec: Fields, ports: readonly Fields[]): Errors {
  const [nodePorts, pairs] = [new Set<string>(), new Set<string>()]
  const forbidden: FieldError[] = []
  const twice: FieldError[] = []
  const pairsTwice: FieldError[] = []
  ports.forEach((port, index) => {
    const path = `spec.ports[${index}]`
    const protocol = textOf(port['protocol'])
    const nodePort = numberOf(port['nodePort'])
    const pair = `${protocol}/${numberOf(port['port'])}`
    if (nodePort !== 0) {
      if (spec['type'] === 'ClusterIP')
        forbidden.push(fieldForbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
      if (nodePorts.has(`${protocol}/${nodePort}`)) twice.push(fieldDuplicate(`${path}.nodePort`, nodePort))
      nodePorts.add(`${protocol}/${nodePort}`)
    }
    if (pairs.has(pair)) pairsTwice.push(fieldDuplicate(path, { port: port['port'], protocol }))
    pairs.add(pair)
  })
  return [...forbidden, ...twice, ...pairsTwice]
}

function checkBalancer(spec: Fields): Errors {
  const isBalancer = spec['type'] === 'LoadBalancer'
  const ranges = textsOf(spec['loadBalancerSourceRanges'])
  const field = 'spec.LoadBalancerSourceRanges'
  const errors: FieldError[] = []
  if (ranges.length > 0 && !isBalancer) errors.push(fieldForbidden(field, onlyBalancer))
  ranges.forEach((range, index) => {
    errors.push(...checkCidr(range.trim(), `${field}[${index}]`))
  })
  for (const name of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) {
    if (!isBalancer && isPresent(spec[name])) errors.push(fieldForbidden(`spec.${name}`, onlyBalancer))
  }
  if (isBalancer && isPresent(spec['loadBalancerClass']))
    errors.push(...checkText(qualifiedName, textOf(spec['loadBalancerClass']), 'spec.loadBalancerClass'))
  return errors
}

const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone']

function checkPolicies(spec: Fields): Errors {
  const external = textOf(spec['externalTrafficPolicy'])
  const errors: FieldError[] = []
  if (isExternal(spec))
    errors.push(...checkWord(external, ['Cluster', 'Local'], 'spec.externalTrafficPolicy'))
  else if (external !== '') {
    const detail = 'may only be set for externally-accessible services'
    errors.push(fieldInvalid('spec.externalTrafficPolicy', external, detail))
  }
  const health = numberOf(spec['healthCheckNodePort'])
  if (health !== 0 && !needsHealthPort(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(fieldInvalid('spec.healthCheckNodePort', health, detail))
  } else if (health !== 0) errors.push(...checkPortNumber(health, 'spec.healthCheckNodePort'))
  const internal = spec['internalTrafficPolicy']
  if (spec['type'] !== 'ExternalName' || isPresent(internal))
    errors.push(...checkWord(internal, ['Cluster', 'Local'], 'spec.internalTrafficPolicy'))
  const distribution = spec['trafficDistribution']
  if (isPresent(distribution) && !distributions.includes(textOf(distribution)))
    errors.push(fieldNotSupported('spec.trafficDistribution', distribution, distributions))
  return errors
}

export function validateServiceChange(object: KubeObject, old: KubeObject): Errors {
  const [spec, before] = [fieldsOf(object['spec']), fieldsOf(old['spec'])]
  const isNamed = spec['type'] === 'ExternalName' || before['type'] === 'ExternalName'
  const errors: FieldError[] = isNamed
    ? []
    : [...checkAddressChange(spec, before), ...checkFamilyChange(spec, before)]
  if (spec['type'] === 'LoadBalancer' && before['type'] === 'LoadBalancer') {
    const next = spec['loadBalancerClass'] ?? undefined
    if (next !== (before['loadBalancerClass'] ?? undefined))
      errors.push(fieldInvalid('spec.loadBalancerClass', next, 'may not change once set'))
  }
  const isHealthMoved = numberOf(spec['healthCheckNodePort']) !== numberOf(before['healthCheckNodePort'])
  if (needsHealthPort(spec) && needsHealthPort(before) && isHealthMoved)
    errors.push(fieldForbidden('spec.healthCheckNodePort', 'field is immutable'))
  return errors
}

function checkAddressChange(spec: Fields, before: Fields): Errors {
  if (isHeadless(spec) && isHeadless(before)) return []
  const field = 'spec.clusterIPs'
  const [next, old] = [textsOf(spec['clusterIPs']), textsOf(before['clusterIPs'])]
  if (old.length > next.length && next.length === 0)
    return [fieldInvalid(`${field}[0]`, next, 'primary clusterIP can not be unset')]
  const changed = old.flatMap((address, index) =>
    index < next.length && next[index] !== address
      ? [fieldInvalid(`${field}[${index}]`, next, 'may not change once set')]
      : [],
  )
  return [...changed, ...checkRelease(spec, old.length > next.length && next.length === 1, 'clusterIP')]
}

function checkFamilyChange(spec: Fields, before: Fields): Errors {
  if (isHeadless(spec) || isHeadless(before)) return []
  const [next, old] = [textsOf(spec['ipFamilies']), textsOf(before['ipFamilies'])]
  const field = 'spec.ipFamilies[0]'
  const isMoved =
    old.length === next.length ? old.some((family, index) => family !== next[index]) : next[0] !== old[0]
  const errors =
    next.length > 0 && old.length > 0 && isMoved ? [fieldInvalid(field, next, 'may not change once set')] : []
  return [...errors, ...checkRelease(spec, old.length > next.length && next.length === 1, 'ipFamily')]
}

function checkRelease(spec: Fields, isReleased: boolean, what: string): Errors {
  if (!isReleased || spec['ipFamilyPolicy'] === 'SingleStack') return []
  const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`
  return [fieldInvalid('spec.ipFamilyPolicy', spec['ipFamilyPolicy'], detail)]
}

export function validateServiceStatus(object: KubeObject): Errors {
  const ingress = itemsOf(at(object, 'status', 'loadBalancer', 'ingress'))
  const field = 'status.loadBalancer.ingress'
  if (at(object, 'spec', 'type') !== 'LoadBalancer') {
    if (listOf(ingress).length === 0) return []
    return [fieldForbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")]
  }
  return ingress.flatMap((one, index) => {
    const path = `${field}[${index}]`
    const address = textOf(one['ip'])
    const hostname = textOf(one['hostname'])
    return [
      ...(address === '' ? [] : checkIp(address, `${path}.ip`)),
      ...(address === '' && isPresent(one['ipMode'])
        ? [fieldForbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set')]
        : []),
      ...(hostname === '' ? [] : checkText(dnsSubdomain, hostname, `${path}.hostname`)),
      ...(isIP(hostname) === 0
        ? []
        : [fieldInvalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address')]),
    ]
  })
}
