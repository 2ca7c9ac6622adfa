// The rules for where a pod may run: affinity, tolerations, spreading.
// Who decides where it does run is the host's scheduler, or the node actor.

import type { LabelSelectorObject } from '../../api/select.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText, validateLabelSelector } from '../../api/validate/labels.ts'
import { dnsLabel, dnsSubdomain, labelValueRule, qualifiedName } from '../../api/validate/names.ts'
import { type Fields, fieldsOf, isFields, isPresent, itemsOf, numberOf, textOf, textsOf } from '../fields.ts'
import { checkPositive } from '../rules.ts'

type Errors = readonly FieldError[]

const required = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'

export function checkAffinity(affinity: Fields, path: string): Errors {
  return [
    ...(isFields(affinity['nodeAffinity'])
      ? checkNodeAffinity(affinity['nodeAffinity'], `${path}.nodeAffinity`)
      : []),
    ...['podAffinity', 'podAntiAffinity'].flatMap((name) =>
      checkPodAffinity(fieldsOf(affinity[name]), `${path}.${name}`),
    ),
  ]
}

function checkNodeAffinity(affinity: Fields, path: string): Errors {
  return [
    ...(isPresent(affinity[required])
      ? checkNodeSelector(fieldsOf(affinity[required]), `${path}.${required}`)
      : []),
    ...itemsOf(affinity[preferred]).flatMap((term, index) => {
      const termPath = `${path}.${preferred}[${index}]`
      // Wrong values are let through here: on a cluster of one node they did no harm.
      const preference = checkNodeTerm(fieldsOf(term['preference']), `${termPath}.preference`, {
        checksValues: false,
      })
      return [...checkWeight(term['weight'], `${termPath}.weight`), ...preference]
    }),
  ]
}

function checkWeight(weight: unknown, path: string): Errors {
  const value = numberOf(weight)
  return value >= 1 && value <= 100 ? [] : [fieldInvalid(path, value, 'must be in the range 1-100')]
}

export function checkNodeSelector(selector: Fields, path: string): Errors {
  const terms = itemsOf(selector['nodeSelectorTerms'])
  if (terms.length === 0)
    return [fieldRequired(`${path}.nodeSelectorTerms`, 'must have at least one node selector term')]
  return terms.flatMap((term, index) =>
    checkNodeTerm(term, `${path}.nodeSelectorTerms[${index}]`, { checksValues: true }),
  )
}

function checkNodeTerm(
  term: Fields,
  path: string,
  { checksValues }: { readonly checksValues: boolean },
): Errors {
  return [
    ...itemsOf(term['matchExpressions']).flatMap((requirement, index) =>
      checkNodeRequirement(requirement, `${path}.matchExpressions[${index}]`, checksValues),
    ),
    ...itemsOf(term['matchFields']).flatMap((requirement, index) =>
      checkNodeField(requirement, `${path}.matchFields[${index}]`),
    ),
  ]
}

function checkNodeRequirement(requirement: Fields, path: string, checksValues: boolean): Errors {
  const values = textsOf(requirement['values'])
  return [
    ...checkOperator(textOf(requirement['operator']), values, path),
    ...checkText(qualifiedName, textOf(requirement['key']), `${path}.key`),
    ...(checksValues
      ? values.flatMap((value, index) => checkText(labelValueRule, value, `${path}.values[${index}]`))
      : []),
  ]
}

function checkOperator(operator: string, values: readonly string[], path: string): Errors {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length > 0) return []
      return [fieldRequired(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Exists':
    case 'DoesNotExist': {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
      return values.length === 0 ? [] : [fieldForbidden(`${path}.values`, detail)]
    }
    case 'Gt':
    case 'Lt': {
      const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
      return values.length === 1 ? [] : [fieldRequired(`${path}.values`, detail)]
    }
    default:
      return [fieldInvalid(`${path}.operator`, operator, 'not a valid selector operator')]
  }
}

function checkNodeField(requirement: Fields, path: string): Errors {
  const values = textsOf(requirement['values'])
  const operator = textOf(requirement['operator'])
  const key = textOf(requirement['key'])
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(fieldInvalid(`${path}.operator`, operator, 'not a valid selector operator'))
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(fieldRequired(`${path}.values`, detail))
  }
  if (key !== 'metadata.name')
    return [...errors, fieldInvalid(`${path}.key`, key, 'not a valid field selector key')]
  return [
    ...errors,
    ...values.flatMap((value, index) => checkText(dnsSubdomain, value, `${path}.values[${index}]`)),
  ]
}

function checkPodAffinity(affinity: Fields, path: string): Errors {
  return [
    ...itemsOf(affinity[required]).flatMap((term, index) =>
      checkPodTerm(term, `${path}.${required}[${index}]`),
    ),
    ...itemsOf(affinity[preferred]).flatMap((term, index) => {
      const termPath = `${path}.${preferred}[${index}]`
      return [
        ...checkWeight(term['weight'], `${termPath}.weight`),
        ...checkPodTerm(fieldsOf(term['podAffinityTerm']), `${termPath}.podAffinityTerm`),
      ]
    }),
  ]
}

const selectorOf = (value: unknown) => value as LabelSelectorObject | null | undefined

function checkPodTerm(term: Fields, path: string): Errors {
  const topologyKey = textOf(term['topologyKey'])
  return [
    ...validateLabelSelector(selectorOf(term['labelSelector']), `${path}.labelSelector`),
    ...validateLabelSelector(selectorOf(term['namespaceSelector']), `${path}.namespaceSelector`),
    ...textsOf(term['namespaces']).flatMap((name) => checkText(dnsLabel, name, `${path}.namespace`)),
    ...checkLabelKeys(term, path),
    ...(topologyKey === '' ? [fieldRequired(`${path}.topologyKey`, 'can not be empty')] : []),
    ...checkText(qualifiedName, topologyKey, `${path}.topologyKey`),
  ]
}

function checkLabelKeys(term: Fields, path: string): Errors {
  const mismatched = textsOf(term['mismatchLabelKeys'])
  const both = textsOf(term['matchLabelKeys']).flatMap((key, index) =>
    mismatched.includes(key)
      ? [
          fieldInvalid(
            `${path}.matchLabelKeys[${index}]`,
            key,
            'exists in both matchLabelKeys and mismatchLabelKeys',
          ),
        ]
      : [],
  )
  const listed = ['matchLabelKeys', 'mismatchLabelKeys'].flatMap((name) => {
    const keys = textsOf(term[name])
    if (keys.length === 0) return []
    if (!isPresent(term['labelSelector'])) {
      return [fieldForbidden(`${path}.${name}`, 'must not be specified when labelSelector is not set')]
    }
    return keys.flatMap((key, index) => checkText(qualifiedName, key, `${path}.${name}[${index}]`))
  })
  return [...listed, ...both]
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function checkTolerations(tolerations: readonly Fields[], field: string): Errors {
  return tolerations.flatMap((toleration, index) => {
    const path = `${field}[${index}]`
    const key = textOf(toleration['key'])
    const operator = textOf(toleration['operator'])
    const effect = textOf(toleration['effect'])
    const errors: FieldError[] = key === '' ? [] : [...checkText(qualifiedName, key, `${path}.key`)]
    if (key === '' && operator !== 'Exists') {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(fieldInvalid(`${path}.operator`, operator, detail))
    }
    if (isPresent(toleration['tolerationSeconds']) && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
      errors.push(fieldInvalid(`${path}.effect`, effect, detail))
    }
    errors.push(...checkTolerationValue(operator, textOf(toleration['value']), path))
    if (effect !== '' && !effects.includes(effect))
      errors.push(fieldNotSupported(`${path}.effect`, effect, effects))
    return errors
  })
}

function checkTolerationValue(operator: string, value: string, path: string): Errors {
  if (operator === '' || operator === 'Equal') {
    const problems = labelValueRule(value)
    return problems.length === 0 ? [] : [fieldInvalid(`${path}.operator`, value, problems.join(';'))]
  }
  if (operator === 'Exists') {
    const detail = "value must be empty when `operator` is 'Exists'"
    return value === '' ? [] : [fieldInvalid(`${path}.operator`, value, detail)]
  }
  // Lt and Gt wait behind a feature gate that is off.
  const allowed =
    operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']
  return [fieldNotSupported(`${path}.operator`, operator, allowed)]
}

const actions = ['DoNotSchedule', 'ScheduleAnyway']
const policies = ['Honor', 'Ignore']

export function checkSpread(constraints: readonly Fields[], field: string): Errors {
  return constraints.flatMap((constraint, index) => {
    const path = `${field}[${index}]`
    const topologyKey = textOf(constraint['topologyKey'])
    const action = textOf(constraint['whenUnsatisfiable'])
    const isTwice = constraints
      .slice(index + 1)
      .some((other) => other['topologyKey'] === topologyKey && other['whenUnsatisfiable'] === action)
    return [
      ...checkPositive(constraint['maxSkew'], `${path}.maxSkew`),
      ...(topologyKey === '' ? [fieldRequired(`${path}.topologyKey`, 'can not be empty')] : []),
      ...(actions.includes(action) ? [] : [fieldNotSupported(`${path}.whenUnsatisfiable`, action, actions)]),
      ...(isTwice
        ? [fieldDuplicate(`${path}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`)]
        : []),
      ...checkMinDomains(constraint['minDomains'], action, `${path}.minDomains`),
      ...['nodeAffinityPolicy', 'nodeTaintsPolicy'].flatMap((name) =>
        isPresent(constraint[name]) && !policies.includes(textOf(constraint[name]))
          ? [fieldNotSupported(`${path}.${name}`, constraint[name], policies)]
          : [],
      ),
      ...checkLabelKeys(constraint, path),
      ...validateLabelSelector(selectorOf(constraint['labelSelector']), `${path}.labelSelector`),
    ]
  })
}

function checkMinDomains(value: unknown, action: string, path: string): Errors {
  if (!isPresent(value)) return []
  const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`
  return [
    ...checkPositive(value, path),
    ...(action === 'DoNotSchedule' ? [] : [fieldInvalid(path, value, detail)]),
  ]
}
