// Holds an object against the rules of its schema (x-kubernetes-validations) and says which fail.
// Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go; its texts are kept.

import type { Schema } from '../../api/schema.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
} from '../../api/status.ts'
import { EvaluationError } from '../../cel/failure.ts'
import { callCostMax, type Evaluation } from '../../cel/program.ts'
import { fromJson, Optional, type Value } from '../../cel/value.ts'
import { isFields } from '../../kinds/fields.ts'
import { isUnchanged, type Old, oldField, oldItems } from '../ratchet.ts'
import { type CompiledRule, hasRules, programOf, rulesOf } from './compile.ts'

/** What the rules of one object may cost together. */
export const objectCostMax = 10_000_000
const messageBytesMax = 5 * 1024
const errorsMax = 200

const blockedText =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
const blocking = [
  ...['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany'],
  'FieldValueTypeInvalid',
]

/** The errors found so far, and those of the rules; of an object that is wrong already only some are run: none. */
export function addRuleErrors(
  errors: readonly FieldError[],
  value: unknown,
  { schema, old }: { readonly schema: Schema; readonly old: Old },
): readonly FieldError[] {
  if (!hasRules(schema)) return errors
  if (errors.some(({ type }) => blocking.includes(type)))
    return [...errors, fieldInvalid('<nil>', null, blockedText)]
  return [...errors, ...checkRules(value, schema, old)]
}

export function checkRules(value: unknown, schema: Schema, old: Old): readonly FieldError[] {
  const walk = new RuleWalk()
  walk.node(value, schema, { path: '', old, isKept: () => false })
  return walk.errors
}

interface Place {
  readonly path: string
  readonly old: Old
  /** Whether the nearest node above with an old value is as it was. */
  readonly isKept: () => boolean
}

class RuleWalk {
  readonly errors: FieldError[] = []
  #budget = objectCostMax
  #isOver = false

  node(value: unknown, schema: Schema, place: Place): void {
    if (this.#isOver || value === null || value === undefined || !hasRules(schema)) return
    const isKept = keptOnce(value, schema, place)
    const here = { ...place, isKept }
    this.#rules(value, schema, here)
    if (Array.isArray(value)) this.#items(value, schema, here)
    else if (isFields(value)) this.#fields(value, schema, here)
  }

  #items(list: readonly unknown[], schema: Schema, { path, old, isKept }: Place): void {
    const { items } = schema
    if (items === undefined || !hasRules(items)) return
    const before = oldItems(schema, old)
    for (const [index, item] of list.entries())
      this.node(item, items, { path: `${path}[${index}]`, old: before(item), isKept })
  }

  #fields(fields: Readonly<Record<string, unknown>>, schema: Schema, { path, old, isKept }: Place): void {
    const { properties, additionalProperties } = schema
    for (const key of Object.keys(fields)) {
      const property = properties?.get(key)
      const inner = property ?? additionalProperties
      if (inner === undefined || !hasRules(inner)) continue
      const below = property === undefined ? `[${key}]` : path === '' ? key : `.${key}`
      this.node(fields[key], inner, { path: `${path}${below}`, old: oldField(old, key), isKept })
    }
  }

  #rules(value: unknown, schema: Schema, place: Place): void {
    const rules = rulesOf(schema)
    if (rules.length === 0) return
    const self = read(value, schema)
    const hasOld = place.old !== undefined && place.old.value !== null
    const old = hasOld ? read(place.old?.value, schema) : undefined
    for (const rule of rules) {
      if (this.#isOver || this.errors.length >= errorsMax) return
      // A transition has two sides, unless the rule says that it can do with one.
      if (rule.usesOldSelf && old === undefined && rule.optionalOldSelf !== true) continue
      this.#rule(rule, { value, schema, place, bindings: bind(self, old, rule) })
    }
  }

  #rule(rule: CompiledRule, at: At): void {
    const program = programOf(rule.outcome)
    if (program === undefined) return
    const result = program.evaluate(at.bindings, Math.min(callCostMax, this.#budget))
    this.#budget -= result.cost
    if (result.ok && result.value === true) return
    const field = at.place.path === '' ? '<nil>' : at.place.path
    if (!result.ok) {
      this.errors.push(fieldInvalid(field, shownType(at.schema), failureText(result, rule, this.#budget)))
      this.#isOver = result.isOverBudget
      return
    }
    // What was wrong before and did not change stays allowed; transitions were judged as such.
    if (!rule.usesOldSelf && at.place.isKept()) return
    this.errors.push(failed(rule, this.#message(rule, at), at))
  }

  #message(rule: CompiledRule, { bindings }: At): string {
    const fallback = rule.message === '' ? `failed rule: ${rule.rule.trim()}` : rule.message.trim()
    const program = programOf(rule.messageOutcome)
    if (program === undefined) return fallback
    const result = program.evaluate(bindings, Math.min(callCostMax, this.#budget))
    this.#budget -= result.cost
    if (!result.ok && result.isOverBudget) {
      this.#isOver = true
      const expression = JSON.stringify(rule.messageExpression)
      return `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${expression}`
    }
    const text = result.ok && typeof result.value === 'string' ? result.value.trim() : ''
    const isUsable = text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= messageBytesMax
    return isUsable ? text : fallback
  }
}

/** A text that its format does not fit is null to a rule; the schema has refused it, unless it was there before. */
function read(value: unknown, schema: Schema): Value {
  try {
    return fromJson(value, schema)
  } catch (error) {
    if (error instanceof EvaluationError) return null
    throw error
  }
}

interface At {
  readonly value: unknown
  readonly schema: Schema
  readonly place: Place
  readonly bindings: ReadonlyMap<string, Value>
}

function keptOnce(value: unknown, schema: Schema, { old, isKept }: Place): () => boolean {
  if (old === undefined) return isKept
  let known: boolean | undefined
  return () => {
    known ??= isUnchanged(value, old.value, schema)
    return known
  }
}

function bind(self: Value, old: Value | undefined, rule: CompiledRule): ReadonlyMap<string, Value> {
  const oldSelf = rule.optionalOldSelf === true ? new Optional(old) : (old ?? null)
  return new Map([
    ['self', self],
    ['oldSelf', oldSelf],
  ])
}

const shownType = ({ intOrString, type }: Schema): string =>
  intOrString === true || type === 'any' ? '' : type

function failureText(result: Evaluation & { readonly ok: false }, rule: CompiledRule, left: number): string {
  const name = rule.message === '' ? rule.rule.trim() : rule.message.trim()
  if (result.isOverBudget) {
    return left <= 0
      ? 'validation failed due to running out of cost budget, no further validation rules will be run'
      : `'${result.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${name}`
  }
  return result.error.startsWith('no such overload')
    ? `'${result.error}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`
    : `${result.error} evaluating rule: ${name}`
}

function failed(rule: CompiledRule, detail: string, { value, schema, place }: At): FieldError {
  const { path } = place
  const { reportAt } = rule
  const below =
    reportAt === undefined ? path : `${path}${path === '' || reportAt.startsWith('[') ? '' : '.'}${reportAt}`
  const field = below === '' ? '<nil>' : below
  // Objects and lists are not shown.
  const isShown = schema.type !== 'object' && schema.type !== 'array'
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return fieldForbidden(field, detail)
    case 'FieldValueRequired':
      return fieldRequired(field, detail)
    case 'FieldValueDuplicate':
      return isShown
        ? fieldDuplicate(field, value)
        : { type: 'FieldValueDuplicate', field, message: 'Duplicate value' }
    default:
      return isShown
        ? fieldInvalid(field, value, detail)
        : { type: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` }
  }
}
