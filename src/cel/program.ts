// The door of the room: compiles an expression against typed variables, and evaluates it within a budget.
// What a refused expression means is the caller's.

import { makeChecker } from './check/expression.ts'
import type { Compiled } from './check/scope.ts'
import { parse } from './check/syntax.ts'
import { BudgetError, CompileError, EvaluationError, Meter } from './failure.ts'
import { type CelType, isAssignable, isDyn, writeType } from './type.ts'
import type { Value } from './value.ts'

/** Upstream's limits, in its units of about one step. */
export const callCostMax = 1_000_000

export interface CompileOptions {
  readonly variables: ReadonlyMap<string, CelType>
  readonly result: CelType
}

export type CompileOutcome =
  | { readonly ok: true; readonly program: Program }
  | {
      readonly ok: false
      /** `ERROR: <input>:1:6: undefined field 'b'` with the line below it, or that the result is of another type. */
      readonly message: string
      readonly reason: 'invalid' | 'wrong-result' | 'unsupported'
    }

export interface Program {
  /** The variables that the expression names. */
  readonly uses: ReadonlySet<string>
  /** Never throws, and stops when `budget` is used up; what a binding lacks is null. */
  readonly evaluate: (bindings: ReadonlyMap<string, Value>, budget?: number) => Evaluation
}

export type Evaluation =
  | { readonly ok: true; readonly value: Value; readonly cost: number }
  | { readonly ok: false; readonly error: string; readonly isOverBudget: boolean; readonly cost: number }

export function compile(text: string, { variables, result }: CompileOptions): CompileOutcome {
  const checker = makeChecker()
  const names = [...variables]
  const scope = {
    variables: new Map(names.map(([name, type], slot) => [name, { type, slot }])),
    slotCount: names.length,
    loops: 0,
  }
  let compiled: Compiled
  try {
    compiled = checker.compile(parse(text), scope)
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    const reason = error.isUnsupported ? 'unsupported' : 'invalid'
    return { ok: false, reason, message: pointAt(text, error) }
  }
  const fits = isDyn(result) || (!isDyn(compiled.type) && isAssignable(result, compiled.type))
  if (!fits) return { ok: false, reason: 'wrong-result', message: writeType(compiled.type) }
  const evaluate: Program['evaluate'] = (bindings, budget = callCostMax) =>
    run(
      compiled,
      names.map(([name]) => bindings.get(name) ?? null),
      new Meter(budget),
    )
  return { ok: true, program: { uses: checker.used, evaluate } }
}

function run(compiled: Compiled, slots: Value[], meter: Meter): Evaluation {
  try {
    const value = compiled.run({ slots, meter })
    return { ok: true, value, cost: meter.spent }
  } catch (error) {
    const failed = { ok: false, cost: meter.spent } as const
    if (error instanceof BudgetError) return { ...failed, error: error.message, isOverBudget: true }
    if (error instanceof EvaluationError) return { ...failed, error: error.message, isOverBudget: false }
    // A value that is not what its type says, where nobody looked.
    if (error instanceof TypeError) return { ...failed, error: 'no such overload', isOverBudget: false }
    // The engine's own limits: a text or a list too long, nesting too deep.
    if (error instanceof RangeError) return { ...failed, error: error.message, isOverBudget: true }
    throw error
  }
}

/** As cel-go writes it: place and text, then the line with a caret below. */
function pointAt(text: string, { message, offset }: CompileError): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const start = before.lastIndexOf('\n') + 1
  const column = [...text.slice(start, offset)].length
  const [shown = ''] = text.slice(start).split('\n')
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${shown}\n | ${'.'.repeat(column)}^`
}
