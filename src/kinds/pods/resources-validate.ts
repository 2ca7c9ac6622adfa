// The rules for requests and limits.
// Upstream: validateResourceRequirements and the resource names of pkg/apis/core/helper.

import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel, qualifiedName } from '../../api/validate/names.ts'
import { amountOf, isWholeAmount } from '../amounts.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, textOf } from '../fields.ts'
import { notNegativeText } from '../rules.ts'

type Errors = readonly FieldError[]

const containerResources = ['cpu', 'memory', 'ephemeral-storage']
const podResources = ['cpu', 'memory']
const standardResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
  'storage',
  'requests.storage',
])
const countedResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
const canOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name)

export function checkResourceName(name: string, field: string): Errors {
  const errors = checkText(qualifiedName, name, field)
  if (errors.length > 0 || name.includes('/') || standardResources.has(name)) return errors
  if (isHugePages(name) || name.startsWith('requests.hugepages-')) return errors
  return [fieldInvalid(field, name, 'must be a standard resource type or fully qualified')]
}

export function checkContainerResourceName(name: string, field: string): Errors {
  const errors = checkResourceName(name, field)
  if (!name.includes('/')) {
    if (containerResources.includes(name) || isHugePages(name)) return errors
    return [...errors, fieldInvalid(field, name, 'must be a standard resource for containers')]
  }
  if (isNative(name) || isExtended(name)) return errors
  return [...errors, fieldInvalid(field, name, "doesn't follow extended resource name standard")]
}

/** What quantities of resources must be: not negative, and whole where they are counted. */
export function checkResourceQuantity(name: string, quantity: unknown, field: string): Errors {
  const amount = amountOf(quantity)
  if (amount === undefined) return [fieldInvalid(field, quantity, 'must be a valid resource quantity')]
  const errors: FieldError[] = []
  if (amount < 0n) errors.push(fieldInvalid(field, quantity, notNegativeText))
  if ((countedResources.has(name) || isExtended(name)) && !isWholeAmount(amount)) {
    errors.push(fieldInvalid(field, quantity, 'must be an integer'))
  }
  return errors
}

/** `claims` are the names in the pod's own list. */
export function checkContainerResources(resources: Fields, field: string, claims: readonly string[]): Errors {
  return [
    ...checkRequirements(resources, field, checkContainerResourceName),
    ...checkClaims(itemsOf(resources['claims']), `${field}.claims`, claims),
  ]
}

export function checkPodResources(resources: Fields, field: string): Errors {
  const checkName = (name: string, path: string): Errors => {
    const errors = checkResourceName(name, path)
    if (errors.length > 0 || podResources.includes(name) || isHugePages(name)) return errors
    return [fieldNotSupported(path, name, podResources)]
  }
  const forbidden = 'claims may not be set for Resources at pod-level'
  return [
    ...(isPresent(resources['claims']) ? [fieldForbidden(`${field}.claims`, forbidden)] : []),
    ...checkRequirements(resources, field, checkName),
  ]
}

function checkRequirements(
  resources: Fields,
  field: string,
  checkName: (name: string, path: string) => Errors,
): Errors {
  const limits = fieldsOf(resources['limits'])
  const requests = fieldsOf(resources['requests'])
  const checkList = (list: Fields, path: string): Errors =>
    Object.entries(list).flatMap(([name, quantity]) => [
      ...checkName(name, `${path}[${name}]`),
      ...checkResourceQuantity(name, quantity, `${path}[${name}]`),
      ...(path.endsWith('.requests') ? checkAgainstLimit(name, quantity, limits, field) : []),
    ])
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  const isBare = names.some(isHugePages) && !names.some((name) => podResources.includes(name))
  return [
    ...checkList(limits, `${field}.limits`),
    ...checkList(requests, `${field}.requests`),
    ...(isBare ? [fieldForbidden(field, 'HugePages require cpu or memory')] : []),
  ]
}

function checkAgainstLimit(name: string, quantity: unknown, limits: Fields, field: string): Errors {
  const limit = limits[name]
  if (!isPresent(limit)) {
    if (canOvercommit(name)) return []
    return [fieldRequired(`${field}.limits`, 'Limit must be set for non overcommitable resources')]
  }
  const [asked = 0n, most = 0n] = [amountOf(quantity), amountOf(limit)]
  if (asked !== most && !canOvercommit(name)) {
    return [fieldInvalid(`${field}.requests`, quantity, `must be equal to ${name} limit of ${String(limit)}`)]
  }
  if (asked <= most) return []
  return [
    fieldInvalid(
      `${field}.requests`,
      quantity,
      `must be less than or equal to ${name} limit of ${String(limit)}`,
    ),
  ]
}

function checkClaims(claims: readonly Fields[], field: string, known: readonly string[]): Errors {
  const seen = new Set<string>()
  return claims.flatMap((claim, index) => {
    const path = `${field}[${index}]`
    const name = textOf(claim['name'])
    if (name === '') return [fieldRequired(path)]
    const request = textOf(claim['request'])
    const key = request === '' ? name : `${name}/${request}`
    const errors: FieldError[] = request === '' ? [] : [...checkText(dnsLabel, request, `${path}.request`)]
    if (seen.has(key) || seen.has(name)) errors.push(fieldDuplicate(path, key))
    seen.add(key)
    if (known.includes(name)) return errors
    const list = known.length === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`
    const message = `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims${list}`
    return [...errors, { type: 'FieldValueNotFound' as const, field: path, message }]
  })
}
