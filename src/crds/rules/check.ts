// Compiles the rules of a CRD's schema when it is written: what is wrong refuses the CRD, in upstream's words.
// The shape of rules is ../check/rules.ts's.

import type { Schema } from '../../api/schema.ts'
import { type FieldError, fieldForbidden, fieldInvalid } from '../../api/status.ts'
import type { CompileOutcome } from '../../cel/program.ts'
import { typeOfSchema } from '../../cel/schema-type.ts'
import { isFields, textOf } from '../../kinds/fields.ts'
import { type CompiledRule, hasRules, rulesOf } from './compile.ts'

/** All expressions of one schema together: compiling them holds up everybody else. Gateway API has some 30,000. */
export const expressionsLengthMax = 262_144

interface Place {
  readonly path: string
  /** The list above whose items cannot be told apart between two states of an object. */
  readonly uncorrelated: string | undefined
}

/** The errors of the rules of a root schema, whose path is given. */
export function checkExpressions(schema: Schema, path: string): readonly FieldError[] {
  const nodes = [...nodesWithRules(schema, { path, uncorrelated: undefined })]
  const length = nodes
    .flatMap(({ schema: { constraints } }) => constraints?.validations ?? [])
    .reduce<number>((sum, rule) => sum + lengthOf(rule), 0)
  if (length > expressionsLengthMax)
    return [
      fieldForbidden(
        path,
        `x-kubernetes-validations may not have more than ${expressionsLengthMax} characters`,
      ),
    ]
  return nodes.flatMap((node) => checkNode(node.schema, node))
}

/** Rules that this control plane cannot run although upstream could: they are kept and told. */
export function unenforcedRules(schema: Schema, path: string): readonly string[] {
  return [...nodesWithRules(schema, { path, uncorrelated: undefined })].flatMap((node) =>
    rulesOf(node.schema).flatMap(({ outcome }, index) =>
      isUnsupported(outcome) ? [`${node.path}.x-kubernetes-validations[${index}]`] : [],
    ),
  )
}

const isUnsupported = (outcome: CompileOutcome): boolean => !outcome.ok && outcome.reason === 'unsupported'

function lengthOf(rule: unknown): number {
  return isFields(rule) ? textOf(rule['rule']).length + textOf(rule['messageExpression']).length : 0
}

function* nodesWithRules(schema: Schema, place: Place): Generator<Place & { readonly schema: Schema }> {
  if (!hasRules(schema)) return
  const { path, uncorrelated } = place
  if ((schema.constraints?.validations ?? []).length > 0) yield { ...place, schema }
  for (const [name, property] of schema.properties ?? [])
    yield* nodesWithRules(property, { path: `${path}.properties[${name}]`, uncorrelated })
  if (schema.additionalProperties !== undefined)
    yield* nodesWithRules(schema.additionalProperties, { path: `${path}.additionalProperties`, uncorrelated })
  if (schema.items !== undefined) {
    const below = schema.listType === 'map' ? uncorrelated : path
    yield* nodesWithRules(schema.items, { path: `${path}.items`, uncorrelated: below })
  }
}

function checkNode(schema: Schema, { path, uncorrelated }: Place): readonly FieldError[] {
  const field = `${path}.x-kubernetes-validations`
  if (typeOfSchema(schema) === undefined) {
    const message = 'Internal error: failed to convert to declType for CEL validation rules'
    return [{ type: 'InternalError', field, message }]
  }
  return rulesOf(schema).flatMap((rule, index) => checkRule(rule, `${field}[${index}]`, uncorrelated))
}

function checkRule(
  rule: CompiledRule,
  path: string,
  uncorrelated: string | undefined,
): readonly FieldError[] {
  const { outcome, messageOutcome, usesOldSelf, optionalOldSelf } = rule
  const isPathWrong = rule.fieldPath.trim() !== '' && rule.reportAt === undefined
  return [
    ...(isPathWrong ? [fieldInvalid(`${path}.fieldPath`, rule.fieldPath, 'must be a valid path')] : []),
    ...problem(outcome, {
      field: `${path}.rule`,
      rule,
      compiling: 'compilation failed',
      wrongResult: 'cel expression must evaluate to a bool',
    }),
    ...problem(messageOutcome, {
      field: `${path}.messageExpression`,
      rule,
      compiling: 'messageExpression compilation failed',
      wrongResult: 'messageExpression must evaluate to a string',
    }),
    ...(usesOldSelf && uncorrelated !== undefined
      ? [fieldInvalid(`${path}.rule`, rule.rule, `${uncorrelatedText} ${uncorrelated}`)]
      : []),
    ...(!usesOldSelf && optionalOldSelf !== undefined && !isUnsupported(outcome)
      ? [
          fieldInvalid(
            `${path}.optionalOldSelf`,
            optionalOldSelf,
            'may not be set if oldSelf is not used in rule',
          ),
        ]
      : []),
  ]
}

const uncorrelatedText = 'oldSelf cannot be used on the uncorrelatable portion of the schema within'

interface Texts {
  readonly field: string
  readonly rule: CompiledRule
  readonly compiling: string
  readonly wrongResult: string
}

function problem(outcome: CompileOutcome | undefined, texts: Texts): readonly FieldError[] {
  if (outcome === undefined || outcome.ok || outcome.reason === 'unsupported') return []
  const { field, rule } = texts
  const detail =
    outcome.reason === 'wrong-result' ? texts.wrongResult : `${texts.compiling}: ${outcome.message}`
  return [fieldInvalid(field, goRule(rule), detail)]
}

/** As Go writes the struct, whose fields have no names for JSON. */
function goRule({
  rule,
  message,
  messageExpression,
  reason,
  fieldPath,
  optionalOldSelf,
}: CompiledRule): unknown {
  return {
    Rule: rule,
    Message: message,
    MessageExpression: messageExpression,
    Reason: reason ?? null,
    FieldPath: fieldPath,
    OptionalOldSelf: optionalOldSelf ?? null,
  }
}
