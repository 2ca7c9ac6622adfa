// Match conditions of webhooks: expressions over a request that say whether the webhook is called.
// Who calls webhooks, and what an error means for them, is admission/'s.

import { type CompileOutcome, compile } from './program.ts'
import { boolType, dynType } from './type.ts'
import { fromJson, type Value } from './value.ts'

/** What all conditions of one webhook may cost for one request. */
export const conditionsCostMax = 2_500_000

const names = ['object', 'oldObject', 'request'] as const
const variables = new Map(names.map((name) => [name, dynType]))

/** JSON as an AdmissionReview carries it; what a request lacks is null. */
export type ConditionInput = Readonly<Record<(typeof names)[number], unknown>>

export type ConditionOutcome =
  | { readonly ok: true; readonly isMatch: boolean }
  | { readonly ok: false; readonly error: string }

/** `authorizer` is not there: an expression that names it is refused. */
export function compileCondition(expression: string): CompileOutcome {
  return compile(expression, { variables, result: boolType })
}

export interface Condition {
  readonly name: string
  readonly expression: string
}

/**
 * Compiled once, asked for each request. Some condition is false: no match. None is false and some fails: the error.
 */
export function prepareConditions(
  conditions: readonly Condition[],
): (input: ConditionInput) => ConditionOutcome {
  const compiled = conditions.map(({ name, expression }) => ({ name, outcome: compileCondition(expression) }))
  return (input) => {
    const bindings = new Map<string, Value>(names.map((name) => [name, fromJson(input[name], undefined)]))
    let left = conditionsCostMax
    const errors: string[] = []
    for (const { name, outcome } of compiled) {
      if (!outcome.ok) {
        errors.push(`matchCondition '${name}': ${outcome.message}`)
        continue
      }
      const result = outcome.program.evaluate(bindings, left)
      left -= result.cost
      if (result.ok && result.value === false) return { ok: true, isMatch: false }
      if (!result.ok) errors.push(`matchCondition '${name}': ${result.error}`)
    }
    return errors.length === 0 ? { ok: true, isMatch: true } : { ok: false, error: errors.join(', ') }
  }
}
