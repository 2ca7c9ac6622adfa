// The rules for probes and lifecycle handlers.
// Upstream: validateProbe, validateHandler, validateLifecycle.

import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { headerNameRule } from '../../api/validate/names.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, listOf, numberOf, textOf } from '../fields.ts'
import { checkNotNegative, checkPort, checkPortNumber, checkRequired } from '../rules.ts'

type Errors = readonly FieldError[]

/** What handlers need to know of their pod. */
export interface PodOfHandler {
  readonly gracePeriodSeconds: unknown
  readonly os: string
}

const probeNumbers = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
]
const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc']
const lifecycleHandlers = ['exec', 'httpGet', 'tcpSocket', 'sleep']

/** All three probes and the lifecycle of a container that may have them. */
export function checkHandlers(container: Fields, path: string, pod: PodOfHandler): Errors {
  return [
    ...checkLifecycle(container, `${path}.lifecycle`, pod),
    ...checkProbe(container, 'livenessProbe', path, pod),
    ...checkProbe(container, 'readinessProbe', path, pod),
    ...checkProbe(container, 'startupProbe', path, pod),
  ]
}

function checkProbe(container: Fields, name: string, containerPath: string, pod: PodOfHandler): Errors {
  if (!isPresent(container[name])) return []
  const probe = fieldsOf(container[name])
  const path = `${containerPath}.${name}`
  const grace = probe['terminationGracePeriodSeconds']
  const gracePath = `${path}.terminationGracePeriodSeconds`
  const errors: FieldError[] = [
    ...checkHandler(probe, probeHandlers, path, pod),
    ...probeNumbers.flatMap((number) => checkNotNegative(probe[number], `${path}.${number}`)),
  ]
  if (isPresent(grace) && numberOf(grace) <= 0)
    errors.push(fieldInvalid(gracePath, grace, 'must be greater than 0'))
  if (name === 'readinessProbe') {
    if (isPresent(grace)) errors.push(fieldInvalid(gracePath, grace, 'must not be set for readinessProbes'))
  } else if (probe['successThreshold'] !== 1) {
    errors.push(fieldInvalid(`${path}.successThreshold`, probe['successThreshold'] ?? 0, 'must be 1'))
  }
  return errors
}

function checkLifecycle(container: Fields, path: string, pod: PodOfHandler): Errors {
  if (!isPresent(container['lifecycle'])) return []
  const lifecycle = fieldsOf(container['lifecycle'])
  return [
    ...['postStart', 'preStop'].flatMap((name) =>
      isPresent(lifecycle[name])
        ? checkHandler(fieldsOf(lifecycle[name]), lifecycleHandlers, `${path}.${name}`, pod)
        : [],
    ),
    ...(isPresent(lifecycle['stopSignal'])
      ? checkStopSignal(lifecycle['stopSignal'], `${path}.stopSignal`, pod)
      : []),
  ]
}

function checkStopSignal(signal: unknown, path: string, { os }: PodOfHandler): Errors {
  if (os === '') return [fieldForbidden(path, 'may not be set for containers with empty `spec.os.name`')]
  const allowed = ['SIGKILL', 'SIGTERM']
  // Linux knows some seventy words: the schema holds them.
  return os === 'windows' && !allowed.includes(textOf(signal))
    ? [fieldNotSupported(path, signal, allowed)]
    : []
}

function checkHandler(handler: Fields, names: readonly string[], path: string, pod: PodOfHandler): Errors {
  const [first, ...others] = names.filter((name) => isPresent(handler[name]))
  if (first === undefined) return [fieldRequired(path, 'must specify a handler type')]
  return [
    ...checkAction(first, fieldsOf(handler[first]), `${path}.${first}`, pod),
    ...others.map((name) => fieldForbidden(`${path}.${name}`, 'may not specify more than 1 handler type')),
  ]
}

function checkAction(name: string, action: Fields, path: string, pod: PodOfHandler): Errors {
  switch (name) {
    case 'exec':
      return listOf(action['command']).length === 0 ? [fieldRequired(`${path}.command`)] : []
    case 'httpGet':
      return checkHttpGet(action, path)
    case 'tcpSocket':
      return checkPort(action['port'], `${path}.port`)
    case 'grpc':
      return checkPortNumber(action['port'], `${path}.port`)
    default:
      return checkSleep(action, path, pod)
  }
}

function checkHttpGet(action: Fields, path: string): Errors {
  const schemes = ['HTTP', 'HTTPS']
  const scheme = textOf(action['scheme'])
  return [
    ...checkRequired(action['path'], `${path}.path`),
    ...checkPort(action['port'], `${path}.port`),
    ...(schemes.includes(scheme) ? [] : [fieldNotSupported(`${path}.scheme`, scheme, schemes)]),
    ...itemsOf(action['httpHeaders']).flatMap((header) =>
      checkText(headerNameRule, textOf(header['name']), `${path}.httpHeaders`),
    ),
  ]
}

function checkSleep(action: Fields, path: string, { gracePeriodSeconds }: PodOfHandler): Errors {
  const seconds = numberOf(action['seconds'])
  if (typeof gracePeriodSeconds !== 'number' || (seconds >= 0 && seconds <= gracePeriodSeconds)) return []
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`
  return [fieldInvalid(path, seconds, detail)]
}
