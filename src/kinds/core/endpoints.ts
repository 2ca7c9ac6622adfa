// Endpoints: the older, whole list of a service's addresses.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldRequired } from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, shortList, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { type Fields, isEqual, isPresent, itemsOf, numberOf, textOf } from '../fields.ts'
import { each, fill } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { protocols } from '../pods/port-validate.ts'
import { checkPortNumber, checkWord, whenPresent } from '../rules.ts'
import { checkIp, checkPublicIp } from './addresses.ts'

type Errors = readonly FieldError[]

export const endpoints: Kind = defineKind({
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  listKind: 'EndpointsList',
  shortNames: ['ep'],
  allowsCreateOnUpdate: true,
  columns: [nameColumn, text('Endpoints'), ageColumn],
  cells: (object, now) => [nameOf(object), shortList(addressesOf(object)), ageOf(object, now)],
  defaults: (object) =>
    each(object, 'subsets', (subset) => each(subset, 'ports', (port) => fill(port, { protocol: 'TCP' }))),
  validateNew: checkSubsets,
  // What was stored under older rules may stay.
  validateChange: (object, old) => (isEqual(object['subsets'], old['subsets']) ? [] : checkSubsets(object)),
})

function addressesOf(object: KubeObject): readonly string[] {
  return itemsOf(object['subsets']).flatMap((subset) => {
    const addresses = itemsOf(subset['addresses']).map((address) => textOf(address['ip']))
    const ports = itemsOf(subset['ports'])
    if (ports.length === 0) return addresses
    return ports.flatMap((port) =>
      addresses.map((ip) => `${ip.includes(':') ? `[${ip}]` : ip}:${numberOf(port['port'])}`),
    )
  })
}

function checkSubsets(object: KubeObject): Errors {
  return itemsOf(object['subsets']).flatMap((subset, index) => {
    const path = `subsets[${index}]`
    const lists = ['addresses', 'notReadyAddresses'].map((name) => [name, itemsOf(subset[name])] as const)
    const ports = itemsOf(subset['ports'])
    return [
      ...(lists.every(([, list]) => list.length === 0)
        ? [fieldRequired(path, 'must specify `addresses` or `notReadyAddresses`')]
        : []),
      ...lists.flatMap(([name, list]) =>
        list.flatMap((address, at) => checkAddress(address, `${path}.${name}[${at}]`)),
      ),
      ...ports.flatMap((port, at) => checkEndpointPort(port, ports.length > 1, `${path}.ports[${at}]`)),
    ]
  })
}

function checkAddress(address: Fields, path: string): Errors {
  const ip = textOf(address['ip'])
  const hostname = textOf(address['hostname'])
  const wrong = checkIp(ip, `${path}.ip`)
  return [
    ...wrong,
    ...(hostname === '' ? [] : checkText(dnsLabel, hostname, `${path}.hostname`)),
    ...(isPresent(address['nodeName'])
      ? checkText(dnsSubdomain, textOf(address['nodeName']), `${path}.nodeName`)
      : []),
    ...checkPublicIp(ip, `${path}.ip`),
  ]
}

function checkEndpointPort(port: Fields, needsName: boolean, path: string): Errors {
  const name = textOf(port['name'])
  return [
    ...(name === '' && needsName ? [fieldRequired(`${path}.name`)] : []),
    ...(name === '' ? [] : checkText(dnsLabel, name, `${path}.name`)),
    ...checkPortNumber(port['port'], `${path}.port`),
    ...checkWord(port['protocol'], protocols, `${path}.protocol`),
    ...whenPresent(port['appProtocol'], () =>
      checkText(qualifiedName, textOf(port['appProtocol']), `${path}.appProtocol`),
    ),
  ]
}
