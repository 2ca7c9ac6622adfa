// The rules for containers of all three sorts.
// Upstream: validateContainers, validateInitContainers, validateEphemeralContainers.

import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel } from '../../api/validate/names.ts'
import { type Fields, fieldsOf, isPresent, isZero, itemsOf, listOf, textOf } from '../fields.ts'
import { checkRequired, checkWord } from '../rules.ts'
import { checkVariableSources, checkVariables } from './env-validate.ts'
import { checkDevices, checkMounts } from './mount-validate.ts'
import { checkContainerPorts, checkHostPorts } from './port-validate.ts'
import { checkHandlers, type PodOfHandler } from './probe-validate.ts'
import { checkContainerResources } from './resources-validate.ts'
import { checkContainerSecurity } from './security-validate.ts'
import type { Volumes } from './volume-validate.ts'

type Errors = readonly FieldError[]

/** What containers need to know of their pod. */
export interface PodOfContainer extends PodOfHandler {
  readonly volumes: Volumes
  readonly claims: readonly string[]
  readonly restartPolicy: string
  readonly hostUsers: boolean
}

export function checkContainers(containers: readonly Fields[], field: string, pod: PodOfContainer): Errors {
  if (containers.length === 0) return [fieldRequired(field)]
  const names = new Set<string>()
  return [
    ...containers.flatMap((container, index) => {
      const path = `${field}[${index}]`
      return [
        ...checkContainer(container, path, pod),
        ...checkUnique(container, names, path),
        ...checkHandlers(container, path, pod),
        ...checkRestarts(container, path),
      ]
    }),
    ...checkHostPorts(containers, field),
  ]
}

export function checkInitContainers(spec: Fields, field: string, pod: PodOfContainer): Errors {
  const names = new Set(itemsOf(spec['containers']).map((container) => textOf(container['name'])))
  return itemsOf(spec['initContainers']).flatMap((container, index) => {
    const path = `${field}[${index}]`
    return [
      ...checkContainer(container, path, pod),
      ...checkRestarts(container, path),
      ...checkUnique(container, names, path),
      ...checkHostPorts([container], field),
      ...(container['restartPolicy'] === 'Always'
        ? checkHandlers(container, path, pod)
        : checkNoHandlers(container, path)),
    ]
  })
}

function checkNoHandlers(container: Fields, path: string): Errors {
  const detail = 'may not be set for init containers without restartPolicy=Always'
  return ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']
    .filter((name) => isPresent(container[name]))
    .map((name) => fieldForbidden(`${path}.${name}`, detail))
}

const ephemeralFields = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'envFrom',
  'env',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
])

export function checkEphemeralContainers(spec: Fields, field: string, pod: PodOfContainer): Errors {
  const others = [...itemsOf(spec['containers']), ...itemsOf(spec['initContainers'])]
  const names = new Set(others.map((container) => textOf(container['name'])))
  const targets = new Set(names)
  const detail = 'cannot be set for an Ephemeral Container'
  return itemsOf(spec['ephemeralContainers']).flatMap((container, index) => {
    const path = `${field}[${index}]`
    const target = textOf(container['targetContainerName'])
    return [
      ...checkContainer(container, path, pod),
      ...checkImagePadding(container, path),
      ...checkUnique(container, names, path),
      ...(target !== '' && !targets.has(target)
        ? [fieldNotFound(`${path}.targetContainerName`, target)]
        : []),
      ...Object.keys(container)
        .filter((name) => !ephemeralFields.has(name) && !isZero(container[name]))
        .map((name) => fieldForbidden(`${path}.${name}`, detail)),
      ...itemsOf(container['volumeMounts']).flatMap((mount, at) =>
        ['subPath', 'subPathExpr']
          .filter((name) => textOf(mount[name]) !== '')
          .map((name) => fieldForbidden(`${path}.volumeMounts[${at}].${name}`, detail)),
      ),
    ]
  })
}

/** Templates may pad an image's name with blanks, for old users' sake; pods may not. */
export function checkImagePadding(container: Fields, path: string): Errors {
  const image = textOf(container['image'])
  if (image.trim() === image) return []
  return [fieldInvalid(`${path}.image`, image, 'must not have leading or trailing whitespace')]
}

const messagePolicies = ['File', 'FallbackToLogsOnError']
const pullPolicies = ['Always', 'IfNotPresent', 'Never']

function checkContainer(container: Fields, path: string, pod: PodOfContainer): Errors {
  const name = textOf(container['name'])
  return [
    ...(name === '' ? [fieldRequired(`${path}.name`)] : checkText(dnsLabel, name, `${path}.name`)),
    ...checkRequired(container['image'], `${path}.image`),
    ...checkWord(container['terminationMessagePolicy'], messagePolicies, `${path}.terminationMessagePolicy`),
    ...checkContainerPorts(itemsOf(container['ports']), `${path}.ports`),
    ...checkVariables(itemsOf(container['env']), `${path}.env`),
    ...checkVariableSources(itemsOf(container['envFrom']), `${path}.envFrom`),
    ...checkMounts(container, pod.volumes, `${path}.volumeMounts`),
    ...checkDevices(container, pod.volumes, `${path}.volumeDevices`),
    ...checkWord(container['imagePullPolicy'], pullPolicies, `${path}.imagePullPolicy`),
    ...checkContainerResources(fieldsOf(container['resources']), `${path}.resources`, pod.claims),
    ...checkResizePolicies(itemsOf(container['resizePolicy']), `${path}.resizePolicy`, pod.restartPolicy),
    ...checkContainerSecurity(
      fieldsOf(container['securityContext']),
      `${path}.securityContext`,
      pod.hostUsers,
    ),
  ]
}

function checkUnique(container: Fields, names: Set<string>, path: string): Errors {
  const name = textOf(container['name'])
  if (names.has(name)) return [fieldDuplicate(`${path}.name`, name)]
  names.add(name)
  return []
}

function checkResizePolicies(policies: readonly Fields[], field: string, restartPolicy: string): Errors {
  const seen = new Set<unknown>()
  return policies.flatMap((policy, index) => {
    const name = policy['resourceName']
    const isTwice = seen.has(name)
    seen.add(name)
    const isRestart = restartPolicy === 'Never' && policy['restartPolicy'] !== 'NotRequired'
    const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
    return [
      ...(isTwice ? [fieldDuplicate(`${field}[${index}]`, name)] : []),
      ...checkWord(name, ['cpu', 'memory'], field),
      ...checkWord(policy['restartPolicy'], ['NotRequired', 'RestartContainer'], field),
      ...(isRestart ? [fieldInvalid(field, policy['restartPolicy'], detail)] : []),
    ]
  })
}

const restartPolicies = ['Always', 'Never', 'OnFailure']
const rulesMax = 20
const exitCodesMax = 255

function checkRestarts(container: Fields, path: string): Errors {
  const policy = container['restartPolicy']
  const rules = itemsOf(container['restartPolicyRules'])
  const errors: FieldError[] = []
  if (isPresent(policy)) {
    if (!restartPolicies.includes(textOf(policy)))
      errors.push(fieldNotSupported(`${path}.restartPolicy`, policy, restartPolicies))
  } else if (rules.length > 0) {
    errors.push(
      fieldRequired(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'),
    )
  }
  if (rules.length > rulesMax) errors.push(fieldTooMany(`${path}.restartPolicyRules`, rules.length, rulesMax))
  return [
    ...errors,
    ...rules.flatMap((rule, index) => checkRule(rule, `${path}.restartPolicyRules[${index}]`)),
  ]
}

function checkRule(rule: Fields, path: string): Errors {
  const action = textOf(rule['action'])
  const actions = ['Restart', 'RestartAllContainers']
  const wrongAction = actions.includes(action) ? [] : [fieldNotSupported(`${path}.action`, action, actions)]
  if (!isPresent(rule['exitCodes']))
    return [...wrongAction, fieldRequired(`${path}.exitCodes`, 'must be specified')]
  const codes = fieldsOf(rule['exitCodes'])
  const operator = textOf(codes['operator'])
  const operators = ['In', 'NotIn']
  const count = listOf(codes['values']).length
  return [
    ...wrongAction,
    ...(operators.includes(operator)
      ? []
      : [fieldNotSupported(`${path}.exitCodes.operator`, operator, operators)]),
    ...(count > exitCodesMax ? [fieldTooMany(`${path}.exitCodes.values`, count, exitCodesMax)] : []),
  ]
}
