// Endpoint slices: a service's addresses in pieces of one address family.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldRequired,
  fieldTooMany,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel, dnsSubdomain, labelValueRule, qualifiedName } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, shortList, text } from '../columns.ts'
import { checkIp, checkPublicIp } from '../core/addresses.ts'
import { defineKind } from '../define.ts'
import { type Fields, fieldsOf, isEqual, isPresent, itemsOf, textOf, textsOf } from '../fields.ts'
import { each, set } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { protocols } from '../pods/port-validate.ts'
import { checkPortNumber, checkWord, whenPresent } from '../rules.ts'

type Errors = readonly FieldError[]

const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const endpointsMax = 1000
const addressesMax = 100
const portsMax = 20_000
const hintsMax = 8

export const endpointSlice: Kind = defineKind({
  group: 'discovery.k8s.io',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  tracksGeneration: true,
  columns: [nameColumn, text('AddressType'), text('Ports'), text('Endpoints'), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    textOf(object['addressType']),
    portsCell(object),
    endpointsCell(object),
    ageOf(object, now),
  ],
  defaults: (object) =>
    each(object, 'ports', (port) => {
      const named = isPresent(port['name']) ? port : set(port, 'name', '')
      return isPresent(named['protocol']) ? named : set(named, 'protocol', 'TCP')
    }),
  prepareUpdate: countLabels,
  validate: (object) => [
    ...checkWord(object['addressType'], addressTypes, 'addressType'),
    ...checkPorts(itemsOf(object['ports'])),
  ],
  validateNew: checkEndpoints,
  validateChange: (object, old) => [
    ...(isEqual(object['endpoints'], old['endpoints']) ? [] : checkEndpoints(object)),
    ...immutableField('addressType', object['addressType'], old['addressType']),
  ],
  // A slice without endpoints is one, and a port without a number means all ports.
  tolerates: ['endpoints'],
})

function portsCell(object: KubeObject): string {
  const ports = itemsOf(object['ports'])
  if (ports.length === 0) return '<unset>'
  return shortList(
    ports.map((port) => (isPresent(port['port']) ? String(port['port']) : textOf(port['name']) || '*')),
  )
}

function endpointsCell(object: KubeObject): string {
  const addresses = itemsOf(object['endpoints']).flatMap((endpoint) => textsOf(endpoint['addresses']))
  return addresses.length === 0 ? '<unset>' : shortList(addresses)
}

/** Upstream counts changed labels as a new generation. */
function countLabels(object: KubeObject, old: KubeObject): KubeObject {
  if (isEqual(object.metadata.labels, old.metadata.labels)) return object
  return { ...object, metadata: { ...object.metadata, generation: (old.metadata.generation ?? 0) + 1 } }
}

function checkPorts(ports: readonly Fields[]): Errors {
  if (ports.length > portsMax) return [fieldTooMany('ports', ports.length, portsMax)]
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const path = `ports[${index}]`
    const name = textOf(port['name'])
    const isTwice = names.has(name)
    names.add(name)
    return [
      ...(name === '' ? [] : checkText(dnsLabel, name, `${path}.name`)),
      ...(isTwice ? [fieldDuplicate(`${path}.name`, name)] : []),
      ...checkWord(port['protocol'], protocols, `${path}.protocol`),
      ...whenPresent(port['port'], () => checkPortNumber(port['port'], `${path}.port`)),
      ...whenPresent(port['appProtocol'], () =>
        checkText(qualifiedName, textOf(port['appProtocol']), `${path}.appProtocol`),
      ),
    ]
  })
}

function checkEndpoints(object: KubeObject): Errors {
  const endpoints = itemsOf(object['endpoints'])
  if (endpoints.length > endpointsMax) return [fieldTooMany('endpoints', endpoints.length, endpointsMax)]
  const type = textOf(object['addressType'])
  return endpoints.flatMap((endpoint, index) => {
    const path = `endpoints[${index}]`
    const addresses = textsOf(endpoint['addresses'])
    return [
      ...(addresses.length === 0
        ? [fieldRequired(`${path}.addresses`, 'must contain at least 1 address')]
        : []),
      ...(addresses.length > addressesMax
        ? [fieldTooMany(`${path}.addresses`, addresses.length, addressesMax)]
        : []),
      ...addresses.flatMap((address, at) => checkAddress(address, type, `${path}.addresses[${at}]`)),
      ...whenPresent(endpoint['nodeName'], () =>
        checkText(dnsSubdomain, textOf(endpoint['nodeName']), `${path}.nodeName`),
      ),
      ...whenPresent(endpoint['hostname'], () =>
        checkText(dnsLabel, textOf(endpoint['hostname']), `${path}.hostname`),
      ),
      ...checkHints(fieldsOf(endpoint['hints']), `${path}.hints`),
    ]
  })
}

function checkAddress(address: string, type: string, path: string): Errors {
  if (type === 'FQDN') return checkText(dnsSubdomain, address.replace(/\.$/, ''), path)
  if (type !== 'IPv4' && type !== 'IPv6') return []
  const errors = checkIp(address, path)
  if (errors.length > 0) return errors
  const list = path.replace(/\[[0-9]+\]$/, '')
  const isFamily = address.includes(':') === (type === 'IPv6')
  return [
    ...(isFamily ? [] : [fieldInvalid(list, address, `must be an ${type} address`)]),
    ...checkPublicIp(address, path),
  ]
}

function checkHints(hints: Fields, path: string): Errors {
  return ['forZones', 'forNodes'].flatMap((name) => {
    const list = itemsOf(hints[name])
    if (list.length > hintsMax) return [fieldTooMany(`${path}.${name}`, list.length, hintsMax)]
    const names = list.map((hint) => textOf(hint['name']))
    return names.flatMap((hint, index) => {
      const field = `${path}.${name}[${index}].name`
      return [
        ...(names.indexOf(hint) < index ? [fieldDuplicate(field, hint)] : []),
        ...checkText(name === 'forZones' ? labelValueRule : dnsSubdomain, hint, field),
      ]
    })
  })
}
