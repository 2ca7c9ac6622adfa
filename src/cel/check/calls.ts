// Chooses among the overloads of a function: by the types that are known, else by the values at run time.
// The functions are library/'s.

import { CompileError } from '../failure.ts'
import { parseDuration, parseTimestamp } from '../library/clock-text.ts'
import { callOverload, type Overload } from '../library/overload.ts'
import { patternProblem } from '../library/patterns.ts'
import { type Bindings, type CelType, dynType, isAssignable, isDyn, substitute, writeType } from '../type.ts'
import { fail, kindOf, type Value } from '../value.ts'
import type { Compiled } from './scope.ts'

export interface Call {
  readonly name: string
  readonly overloads: readonly Overload[]
  readonly isMember: boolean
  readonly offset: number
}

export function compileCall(call: Call, given: readonly Compiled[]): Compiled {
  const types = given.map(({ type }) => type)
  const fitting = call.overloads.flatMap((overload) => {
    const bindings: Bindings = new Map()
    const fits =
      overload.params.length === types.length &&
      overload.params.every((param, index) => isAssignable(param, types[index] ?? dynType, bindings))
    return fits ? [{ overload, result: substitute(overload.result, bindings) }] : []
  })
  const [first, ...others] = fitting
  if (first === undefined) throw new CompileError(noOverload(call, types), call.offset)
  checkLiterals(call, given)
  const isSame = others.every(({ result }) => writeType(result) === writeType(first.result))
  const type = isSame ? first.result : dynType
  return {
    type,
    run: dispatch(
      call.name,
      fitting.map(({ overload }) => overload),
      given,
    ),
  }
}

/** Values may be other than their types say: null where the schema is nullable, or wrong from before a schema came. */
function dispatch(name: string, overloads: readonly Overload[], given: readonly Compiled[]): Compiled['run'] {
  // Operators have no name in the message.
  const text =
    /^\w[^_]/.test(name) && !name.startsWith('_') ? `no such overload: ${name}` : 'no such overload'
  return (frame) => {
    frame.meter.charge(1)
    const values = given.map(({ run }) => run(frame))
    const found = overloads.find(({ params }) =>
      params.every((param, index) => isOf(values[index] ?? null, param)),
    )
    return found === undefined ? fail(text) : callOverload(found, values, frame.meter)
  }
}

function isOf(value: Value, type: CelType): boolean {
  const kind = kindOf(value)
  if (type.kind === 'param' || isDyn(type)) return true
  if (type.kind === 'plain') return type.name === kind
  if (
    type.kind === 'list' &&
    kind === 'list' &&
    value !== null &&
    typeof value === 'object' &&
    'at' in value
  ) {
    const [first] = 'toArray' in value && value.size > 0 ? [value.at(0) as Value] : []
    return first === undefined || isOf(first, type.item)
  }
  return type.kind === 'object' ? kind === 'map' : type.kind === kind
}

function noOverload({ name, isMember }: Call, types: readonly CelType[]): string {
  const written = types.map(writeType)
  const [target, ...rest] = written
  const applied = isMember ? `${target}.(${rest.join(', ')})` : `(${written.join(', ')})`
  return `found no matching overload for '${name}' applied to '${applied}'`
}

/** Literals that would fail on every object are refused at once. */
function checkLiterals({ name, offset }: Call, given: readonly Compiled[]): void {
  const [first, second] = given.map(({ literal }) => literal)
  const isPattern = name === 'matches' || name === 'find' || name === 'findAll'
  if (isPattern && typeof second === 'string') {
    const problem = patternProblem(second)
    if (problem !== undefined) throw new CompileError('invalid matches argument', offset + 1)
  }
  if ((name === 'duration' || name === 'timestamp') && typeof first === 'string')
    checkTime(name, given, offset)
}

function checkTime(name: string, given: readonly Compiled[], offset: number): void {
  const text = String(given[0]?.literal)
  const isRight = name === 'duration' ? parseDuration(text) !== undefined : parseTimestamp(text) !== undefined
  if (!isRight) throw new CompileError(`invalid ${name} argument`, offset + 1)
}
