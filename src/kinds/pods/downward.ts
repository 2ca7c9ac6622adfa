// References to a pod's own fields and resources, in variables and in volumes.
// Upstream: validateObjectFieldSelector, validateContainerResourceFieldSelector.

import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { qualifiedName } from '../../api/validate/names.ts'
import { amountOf } from '../amounts.ts'
import { type Fields, isPresent, textOf } from '../fields.ts'

type Errors = readonly FieldError[]

export const variableFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
export const volumeFieldPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]
const known = new Set([
  ...variableFieldPaths,
  ...volumeFieldPaths,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
])
const subscripted = /^(?<path>[^[\]]+)\['(?<key>.+)'\]$/

export function checkFieldReference(reference: Fields, allowed: readonly string[], field: string): Errors {
  const fieldPath = textOf(reference['fieldPath'])
  const apiVersion = textOf(reference['apiVersion'])
  if (apiVersion === '') return [fieldRequired(`${field}.apiVersion`)]
  if (fieldPath === '') return [fieldRequired(`${field}.fieldPath`)]
  const unknown = (detail: string) => [
    fieldInvalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${detail}`),
  ]
  if (apiVersion !== 'v1') return unknown(`unsupported pod version: ${apiVersion}`)
  const groups = subscripted.exec(fieldPath)?.groups
  if (groups !== undefined) {
    const { path = '', key = '' } = groups
    if (path === 'metadata.annotations') return checkText(qualifiedName, key.toLowerCase(), field)
    if (path === 'metadata.labels') return checkText(qualifiedName, key, field)
    if (!known.has(path)) return unknown(`field label does not support subscript: ${fieldPath}`)
    return [fieldInvalid(field, path, 'does not support subscript')]
  }
  if (!known.has(fieldPath)) return unknown(`field label not supported: ${fieldPath}`)
  return allowed.includes(fieldPath) ? [] : [fieldNotSupported(`${field}.fieldPath`, fieldPath, allowed)]
}

const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const sizes = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const divisors: readonly (readonly [RegExp, readonly string[], string, string])[] = [
  [/^(limits|requests)\.cpu$/, ['1m', '1'], '1m and 1', 'cpu'],
  [/^(limits|requests)\.memory$/, sizes, sizes.join(', '), 'memory'],
  [/^(limits|requests)\.ephemeral-storage$/, sizes, sizes.join(', '), 'local ephemeral storage'],
  [/^(limits|requests)\.hugepages-/, sizes, sizes.join(', '), 'hugepages'],
]

export function checkResourceReference(
  reference: Fields,
  field: string,
  { isVolume }: { readonly isVolume: boolean },
): Errors {
  const resource = textOf(reference['resource'])
  return [
    ...checkResourceName(reference, resource, field, isVolume),
    ...checkDivisor(reference['divisor'], resource, field),
  ]
}

function checkResourceName(reference: Fields, resource: string, field: string, isVolume: boolean): Errors {
  if (isVolume && textOf(reference['containerName']) === '') return [fieldRequired(`${field}.containerName`)]
  if (resource === '') return [fieldRequired(`${field}.resource`)]
  if (resources.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource)) return []
  return [fieldNotSupported(`${field}.resource`, resource, resources)]
}

function checkDivisor(divisor: unknown, resource: string, field: string): Errors {
  const amount = amountOf(divisor)
  if (!isPresent(divisor) || amount === 0n) return []
  const rule = divisors.find(([pattern]) => pattern.test(resource))
  if (rule === undefined || rule[1].some((allowed) => amountOf(allowed) === amount)) return []
  const detail = `only divisor's values ${rule[2]} are supported with the ${rule[3]} resource`
  return [fieldInvalid(`${field}.divisor`, resource, detail)]
}
