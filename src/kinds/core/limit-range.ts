// Limit ranges: defaults and bounds for what pods may ask for. Admission applies them.

import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { qualifiedName } from '../../api/validate/names.ts'
import { amountOf } from '../amounts.ts'
import { nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isZero, itemsOf, textOf } from '../fields.ts'
import { each, fill, set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { checkContainerResourceName } from '../pods/resources-validate.ts'

type Errors = readonly FieldError[]

const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio']

export const limitRange: Kind = defineKind({
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  allowsCreateOnUpdate: true,
  columns: [nameColumn, { ...text('Created At'), type: 'date' }],
  cells: (object) => [nameOf(object), textOf(object.metadata.creationTimestamp)],
  defaults: (object) => set(object, 'spec', each(fieldsOf(object['spec']), 'limits', defaultLimit)),
  validate: (object) => checkLimits(itemsOf(at(object, 'spec', 'limits'))),
})

/** For containers the highest limit is the default one, the default limit the default request, and so on. */
function defaultLimit(limit: Fields): Fields {
  if (limit['type'] !== 'Container') return limit
  const limits = fill(fieldsOf(limit['default']), fieldsOf(limit['max']))
  const requests = fill(fill(fieldsOf(limit['defaultRequest']), limits), fieldsOf(limit['min']))
  const withLimits = isZero(limits) ? limit : set(limit, 'default', limits)
  return isZero(requests) ? withLimits : set(withLimits, 'defaultRequest', requests)
}

function checkLimits(limits: readonly Fields[]): Errors {
  const types = limits.map((limit) => textOf(limit['type']))
  return limits.flatMap((limit, index) => {
    const path = `spec.limits[${index}]`
    const type = textOf(limit['type'])
    return [
      ...checkText(qualifiedName, type, `${path}.type`),
      ...(types.indexOf(type) < index ? [fieldDuplicate(`${path}.type`, type)] : []),
      ...checkNames(limit, type, path),
      ...checkType(limit, type, path),
      ...checkOrder(limit, path),
    ]
  })
}

function checkNames(limit: Fields, type: string, path: string): Errors {
  return lists.flatMap((list) =>
    Object.keys(fieldsOf(limit[list])).flatMap((name) =>
      type === 'Container'
        ? checkContainerResourceName(name, `${path}.${list}[${name}]`)
        : checkText(qualifiedName, name, `${path}.${list}[${name}]`),
    ),
  )
}

function checkType(limit: Fields, type: string, path: string): Errors {
  if (type === 'Pod') {
    return ['default', 'defaultRequest']
      .filter((list) => !isZero(limit[list]))
      .map((list) => fieldForbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
  }
  const hasStorage = ['min', 'max'].some((list) => at(limit, list, 'storage') !== undefined)
  if (type !== 'PersistentVolumeClaim' || hasStorage) return []
  const detail = 'either minimum or maximum storage value is required, but neither was provided'
  return [fieldRequired(`${path}.limits`, detail)]
}

/** Which list may not exceed which, and how upstream says so. */
const orders = [
  ['min', 'max', 'min', 'min value LOW is greater than max value HIGH'],
  ['min', 'defaultRequest', 'defaultRequest', 'min value LOW is greater than default request value HIGH'],
  ['defaultRequest', 'max', 'defaultRequest', 'default request value LOW is greater than max value HIGH'],
  [
    'defaultRequest',
    'default',
    'defaultRequest',
    'default request value LOW is greater than default limit value HIGH',
  ],
  ['min', 'default', 'default', 'min value LOW is greater than default value HIGH'],
  ['default', 'max', 'default', 'default value LOW is greater than max value HIGH'],
] as const

function checkOrder(limit: Fields, path: string): Errors {
  return orders.flatMap(([low, high, field, detail]) =>
    Object.entries(fieldsOf(limit[low])).flatMap(([name, lowest]) => {
      const highest = at(limit, high, name)
      const [least, most] = [amountOf(lowest), amountOf(highest)]
      if (least === undefined || most === undefined || least <= most) return []
      const text = detail.replace('LOW', String(lowest)).replace('HIGH', String(highest))
      return [fieldInvalid(`${path}.${field}[${name}]`, at(limit, field, name), text)]
    }),
  )
}
