// Network policies: stored; whether the host enforces them depends on its network.

import type { LabelSelectorObject } from '../../api/select.ts'
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { validateLabelSelector } from '../../api/validate/labels.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { checkCidr } from '../core/addresses.ts'
import { defineKind } from '../define.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isPresent,
  isZero,
  itemsOf,
  numberOf,
  textOf,
  textsOf,
} from '../fields.ts'
import { each, fill, set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { protocols } from '../pods/port-validate.ts'
import { selectorCell } from '../pods/template-cells.ts'
import { checkPort, checkPortNumber } from '../rules.ts'

type Errors = readonly FieldError[]

export const networkPolicy: Kind = defineKind({
  group: 'networking.k8s.io',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  notEnforced: 'the network of the host does not know them',
  shortNames: ['netpol'],
  tracksGeneration: true,
  columns: [nameColumn, text('Pod-Selector'), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    selectorCell(at(object, 'spec', 'podSelector') ?? {}),
    ageOf(object, now),
  ],
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
})

function defaultSpec(spec: Fields): Fields {
  const withPorts = (rule: Fields) => each(rule, 'ports', (port) => fill(port, { protocol: 'TCP' }))
  const filled = fill(each(each(spec, 'ingress', withPorts), 'egress', withPorts), { podSelector: {} })
  if (!isZero(filled['policyTypes'])) return filled
  return set(filled, 'policyTypes', isZero(filled['egress']) ? ['Ingress'] : ['Ingress', 'Egress'])
}

function validateSpec(spec: Fields): Errors {
  const types = textsOf(spec['policyTypes'])
  const directions = [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const
  return [
    ...validateLabelSelector(selectorOf(spec['podSelector']), 'spec.podSelector'),
    ...directions.flatMap(([direction, peers]) =>
      itemsOf(spec[direction]).flatMap((rule, index) =>
        checkRule(rule, peers, `spec.${direction}[${index}]`),
      ),
    ),
    ...(types.length > 2
      ? [fieldInvalid('spec.policyTypes', types, 'may not specify more than two policyTypes')]
      : types.flatMap((type, index) =>
          type === 'Ingress' || type === 'Egress'
            ? []
            : [fieldNotSupported(`spec.policyTypes[${index}]`, type, ['Egress', 'Ingress'])],
        )),
  ]
}

const selectorOf = (value: unknown) => value as LabelSelectorObject | null | undefined

function checkRule(rule: Fields, peers: 'from' | 'to', path: string): Errors {
  return [
    ...itemsOf(rule['ports']).flatMap((port, index) => checkPolicyPort(port, `${path}.ports[${index}]`)),
    ...itemsOf(rule[peers]).flatMap((peer, index) => checkPeer(peer, `${path}.${peers}[${index}]`)),
  ]
}

function checkPolicyPort(port: Fields, path: string): Errors {
  const [number, end] = [port['port'], port['endPort']]
  const protocol = textOf(port['protocol'])
  const endPath = `${path}.endPort`
  const errors: FieldError[] = []
  if (protocol !== '' && !protocols.includes(protocol))
    errors.push(fieldNotSupported(`${path}.protocol`, protocol, protocols))
  if (isPresent(number)) errors.push(...checkPort(number, `${path}.port`))
  if (!isPresent(end)) return errors
  if (!isPresent(number))
    return [...errors, fieldInvalid(endPath, end, 'may not be specified when `port` is not specified')]
  if (typeof number === 'string')
    return [...errors, fieldInvalid(endPath, end, 'may not be specified when `port` is non-numeric')]
  if (numberOf(end) < numberOf(number))
    errors.push(fieldInvalid(endPath, number, 'must be greater than or equal to `port`'))
  return [...errors, ...checkPortNumber(end, endPath)]
}

function checkPeer(peer: Fields, path: string): Errors {
  const hasBlock = isPresent(peer['ipBlock'])
  const selectors = ['podSelector', 'namespaceSelector'].filter((name) => isPresent(peer[name]))
  return [
    ...selectors.flatMap((name) => validateLabelSelector(selectorOf(peer[name]), `${path}.${name}`)),
    ...(hasBlock ? checkBlock(fieldsOf(peer['ipBlock']), `${path}.ipBlock`) : []),
    ...(selectors.length === 0 && !hasBlock ? [fieldRequired(path, 'must specify a peer')] : []),
    ...(selectors.length > 0 && hasBlock
      ? [fieldForbidden(path, 'may not specify both ipBlock and another peer')]
      : []),
  ]
}

function checkBlock(block: Fields, path: string): Errors {
  const cidr = textOf(block['cidr'])
  if (cidr === '') return [fieldRequired(`${path}.cidr`)]
  return [
    ...checkCidr(cidr, `${path}.cidr`),
    ...textsOf(block['except']).flatMap((except, index) => checkCidr(except, `${path}.except[${index}]`)),
  ]
}
