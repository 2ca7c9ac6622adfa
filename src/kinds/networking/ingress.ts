// Ingresses: stored; a translator must be switched on for the host to serve them.

import { isIP } from 'node:net'
import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel, dnsSubdomain, wildcardDnsSubdomain } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { checkIp } from '../core/addresses.ts'
import { defineKind } from '../define.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isPresent,
  itemsOf,
  listOf,
  numberOf,
  textOf,
  textsOf,
} from '../fields.ts'
import type { Kind } from '../kind.ts'
import { checkPortNumber, checkRequired, whenPresent } from '../rules.ts'

type Errors = readonly FieldError[]

export const ingress: Kind = defineKind({
  group: 'networking.k8s.io',
  kind: 'Ingress',
  plural: 'ingresses',
  notEnforced: 'no translator brings them to the host',
  shortNames: ['ing'],
  tracksGeneration: true,
  columns: [nameColumn, text('Class'), text('Hosts'), text('Address'), text('Ports'), ageColumn],
  cells: (object, now) => {
    const spec = fieldsOf(object['spec'])
    return [
      nameOf(object),
      textOf(spec['ingressClassName']) || '<none>',
      hostsCell(itemsOf(spec['rules'])),
      addressCell(object),
      listOf(spec['tls']).length > 0 ? '80, 443' : '80',
      ageOf(object, now),
    ]
  },
  status: { initial: { loadBalancer: {} }, validate: checkStatus },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateNew: checkClass,
})

const hostsShown = 3

function hostsCell(rules: readonly Fields[]): string {
  const hosts = rules.map((rule) => textOf(rule['host'])).filter((host) => host !== '')
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, hostsShown).join(',')
  return rules.length > hostsShown && hosts.length > hostsShown
    ? `${shown} + ${rules.length - hostsShown} more...`
    : shown
}

function addressCell(object: KubeObject): string {
  const addresses = itemsOf(at(object, 'status', 'loadBalancer', 'ingress')).map(
    (one) => textOf(one['ip']) || textOf(one['hostname']),
  )
  return [...new Set(addresses)].sort().join(',')
}

const classAnnotation = 'kubernetes.io/ingress.class'

function checkClass(object: KubeObject): Errors {
  const annotation = object.metadata.annotations?.[classAnnotation]
  const name = at(object, 'spec', 'ingressClassName')
  if (annotation === undefined || !isPresent(name) || annotation === name) return []
  const detail = 'must match `ingressClassName` when both are specified'
  return [fieldInvalid(`annotations.${classAnnotation}`, annotation, detail)]
}

function validateSpec(spec: Fields): Errors {
  const rules = itemsOf(spec['rules'])
  const backend = spec['defaultBackend']
  return [
    ...(rules.length === 0 && !isPresent(backend)
      ? [fieldInvalid('spec', spec['rules'], 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...whenPresent(backend, () => checkBackend(fieldsOf(backend), 'spec.defaultBackend')),
    ...rules.flatMap((rule, index) => checkRule(rule, `spec.rules[${index}]`)),
    ...itemsOf(spec['tls']).flatMap((tls, index) => checkTls(tls, `spec.tls[${index}]`)),
    ...whenPresent(spec['ingressClassName'], () =>
      checkText(dnsSubdomain, textOf(spec['ingressClassName']), 'spec.ingressClassName'),
    ),
  ]
}

function checkHost(host: string, path: string): Errors {
  return checkText(host.includes('*') ? wildcardDnsSubdomain : dnsSubdomain, host, path)
}

function checkTls(tls: Fields, path: string): Errors {
  const secret = textOf(tls['secretName'])
  return [
    ...textsOf(tls['hosts']).flatMap((host, index) => checkHost(host, `${path}.hosts[${index}]`)),
    ...(secret === '' ? [] : checkText(dnsSubdomain, secret, `${path}.secretName`)),
  ]
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEndings = ['/..', '/.']

function checkRule(rule: Fields, path: string): Errors {
  const host = textOf(rule['host'])
  const isAddress = isIP(host) !== 0
  const http = rule['http']
  const paths = itemsOf(at(http, 'paths'))
  return [
    ...(isAddress ? [fieldInvalid(`${path}.host`, host, 'must be a DNS name, not an IP address')] : []),
    ...(host === '' || isAddress ? [] : checkHost(host, `${path}.host`)),
    ...(isPresent(http) && paths.length === 0 ? [fieldRequired(`${path}.http.paths`)] : []),
    ...paths.flatMap((one, index) => checkPath(one, `${path}.http.paths[${index}]`)),
  ]
}

function checkPath(one: Fields, path: string): Errors {
  const [type, value] = [one['pathType'], textOf(one['path'])]
  const backend = checkBackend(fieldsOf(one['backend']), `${path}.backend`)
  if (!isPresent(type)) return [fieldRequired(`${path}.pathType`, 'pathType must be specified'), ...backend]
  if (!pathTypes.includes(textOf(type)))
    return [fieldNotSupported(`${path}.pathType`, type, pathTypes), ...backend]
  const field = `${path}.path`
  const errors: FieldError[] = []
  const isFree = type === 'ImplementationSpecific'
  if ((!isFree || value !== '') && !value.startsWith('/'))
    errors.push(fieldInvalid(field, value, 'must be an absolute path'))
  if (!isFree && value !== '') {
    for (const bad of badSequences)
      if (value.includes(bad)) errors.push(fieldInvalid(field, value, `must not contain '${bad}'`))
    for (const bad of badEndings)
      if (value.endsWith(bad)) errors.push(fieldInvalid(field, value, `cannot end with '${bad}'`))
  }
  return [...errors, ...backend]
}

function checkBackend(backend: Fields, path: string): Errors {
  const [service, resource] = [backend['service'], backend['resource']]
  if (isPresent(service) && isPresent(resource))
    return [fieldInvalid(path, '', 'cannot set both resource and service backends')]
  if (isPresent(resource))
    return ['kind', 'name'].flatMap((name) => checkRequired(at(resource, name), `${path}.resource.${name}`))
  if (!isPresent(service)) return [fieldRequired(path, 'resource or service backend is required')]
  const name = textOf(at(service, 'name'))
  const [portName, number] = [textOf(at(service, 'port', 'name')), numberOf(at(service, 'port', 'number'))]
  const port = `${path}.service.port`
  const errors: FieldError[] = [
    ...(name === ''
      ? [fieldRequired(`${path}.service.name`)]
      : checkText(dnsLabel, name, `${path}.service.name`)),
  ]
  if (portName !== '' && number !== 0)
    errors.push(fieldInvalid(path, '', 'cannot set both port name & port number'))
  else if (portName === '' && number === 0)
    errors.push(fieldRequired(path, 'port name or number is required'))
  else if (number !== 0) errors.push(...checkPortNumber(number, `${port}.number`))
  return errors
}

function checkStatus(object: KubeObject): Errors {
  return itemsOf(at(object, 'status', 'loadBalancer', 'ingress')).flatMap((one, index) => {
    const path = `status.loadBalancer.ingress[${index}]`
    const [address, hostname] = [textOf(one['ip']), textOf(one['hostname'])]
    return [
      ...(address === '' ? [] : checkIp(address, `${path}.ip`)),
      ...(hostname === '' ? [] : checkText(dnsSubdomain, hostname, `${path}.hostname`)),
      ...(isIP(hostname) === 0
        ? []
        : [fieldInvalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address')]),
    ]
  })
}
