// The rules for container ports.
// Upstream: validateContainerPorts, AccumulateUniqueHostPorts, validatePodHostNetworkDeps.

import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { portNameRule } from '../../api/validate/names.ts'
import { type Fields, itemsOf, numberOf, textOf } from '../fields.ts'
import { checkPortNumber, checkWord } from '../rules.ts'

type Errors = readonly FieldError[]

export const protocols = ['SCTP', 'TCP', 'UDP']

export function checkContainerPorts(ports: readonly Fields[], field: string): Errors {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const path = `${field}[${index}]`
    const number = numberOf(port['containerPort'])
    const hostPort = numberOf(port['hostPort'])
    return [
      ...checkPortName(textOf(port['name']), names, `${path}.name`),
      ...(number === 0
        ? [fieldRequired(`${path}.containerPort`)]
        : checkPortNumber(number, `${path}.containerPort`)),
      ...(hostPort === 0 ? [] : checkPortNumber(hostPort, `${path}.hostPort`)),
      ...checkWord(port['protocol'], protocols, `${path}.protocol`),
    ]
  })
}

function checkPortName(name: string, names: Set<string>, path: string): Errors {
  if (name === '') return []
  const errors = checkText(portNameRule, name, path)
  if (errors.length > 0) return errors
  if (names.has(name)) return [fieldDuplicate(path, name)]
  names.add(name)
  return []
}

/** One port of the host can be given once. */
export function checkHostPorts(containers: readonly Fields[], field: string): Errors {
  const taken = new Set<string>()
  return containers.flatMap((container, index) =>
    itemsOf(container['ports']).flatMap((port, at) => {
      if (numberOf(port['hostPort']) === 0) return []
      const text = `${textOf(port['protocol'])}/${textOf(port['hostIP'])}/${numberOf(port['hostPort'])}`
      if (taken.has(text)) return [fieldDuplicate(`${field}[${index}].ports[${at}].hostPort`, text)]
      taken.add(text)
      return []
    }),
  )
}

/** A template may leave host ports out: its pods get them. */
export function checkHostNetworkPorts(
  spec: Fields,
  path: string,
  { isPod }: { readonly isPod: boolean },
): Errors {
  if (spec['hostNetwork'] !== true) return []
  return itemsOf(spec['containers']).flatMap((container, index) =>
    itemsOf(container['ports']).flatMap((port, at) => {
      const hostPort = numberOf(port['hostPort'])
      if (hostPort === numberOf(port['containerPort']) || (!isPod && hostPort === 0)) return []
      const detail = 'must match `containerPort` when `hostNetwork` is true'
      return [fieldInvalid(`${path}.containers[${index}].ports[${at}].hostPort`, hostPort, detail)]
    }),
  )
}
