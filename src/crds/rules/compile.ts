// The rules of a schema node, compiled once for as long as the schema lives.
// Running them is evaluate.ts's, what is wrong with them check.ts's.

import type { Schema } from '../../api/schema.ts'
import { type CompileOutcome, compile, type Program } from '../../cel/program.ts'
import { typeOfSchema } from '../../cel/schema-type.ts'
import { boolType, type CelType, optionalOf, stringType } from '../../cel/type.ts'
import { isFields, textOf } from '../../kinds/fields.ts'
import { isObjectMeta } from '../structural.ts'
import { fieldPathOf } from './field-path.ts'

export interface Rule {
  readonly rule: string
  readonly message: string
  readonly messageExpression: string
  readonly reason: string | undefined
  readonly fieldPath: string
  readonly optionalOldSelf: boolean | undefined
}

export interface CompiledRule extends Rule {
  readonly outcome: CompileOutcome
  readonly messageOutcome: CompileOutcome | undefined
  readonly usesOldSelf: boolean
  /** Where a failure is reported, below the node; undefined at the node, or when the path leads nowhere. */
  readonly reportAt: string | undefined
}

const compiled = new WeakMap<Schema, readonly CompiledRule[]>()
const withRules = new WeakMap<Schema, boolean>()

/** Empty where no expression can look at the node. */
export function rulesOf(schema: Schema): readonly CompiledRule[] {
  const written = schema.constraints?.validations ?? []
  if (written.length === 0) return []
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const type = typeOfSchema(schema)
  const made = type === undefined ? [] : written.map((rule) => compileRule(readRule(rule), schema, type))
  compiled.set(schema, made)
  return made
}

function readRule(written: unknown): Rule {
  const fields = isFields(written) ? written : {}
  const { optionalOldSelf, reason } = fields
  return {
    rule: textOf(fields['rule']),
    message: textOf(fields['message']),
    messageExpression: textOf(fields['messageExpression']),
    reason: typeof reason === 'string' ? reason : undefined,
    fieldPath: textOf(fields['fieldPath']),
    optionalOldSelf: typeof optionalOldSelf === 'boolean' ? optionalOldSelf : undefined,
  }
}

function compileRule(rule: Rule, schema: Schema, type: CelType): CompiledRule {
  const oldType = rule.optionalOldSelf === true ? optionalOf(type) : type
  const variables = new Map([
    ['self', type],
    ['oldSelf', oldType],
  ])
  const outcome = compile(rule.rule, { variables, result: boolType })
  const hasMessage = outcome.ok && rule.messageExpression !== ''
  return {
    ...rule,
    outcome,
    messageOutcome: hasMessage
      ? compile(rule.messageExpression, { variables, result: stringType })
      : undefined,
    usesOldSelf: programOf(outcome)?.uses.has('oldSelf') === true,
    reportAt: rule.fieldPath === '' ? undefined : fieldPathOf(rule.fieldPath, schema),
  }
}

export const programOf = (outcome: CompileOutcome | undefined): Program | undefined =>
  outcome?.ok === true ? outcome.program : undefined

/** Whether a node or anything below it has rules; walkers pass the rest by. */
export function hasRules(schema: Schema | undefined): boolean {
  if (schema === undefined || isObjectMeta(schema)) return false
  const known = withRules.get(schema)
  if (known !== undefined) return known
  const found =
    (schema.constraints?.validations ?? []).length > 0 ||
    hasRules(schema.items) ||
    hasRules(schema.additionalProperties) ||
    [...(schema.properties?.values() ?? [])].some(hasRules)
  withRules.set(schema, found)
  return found
}
