// `has`, loops over lists and maps with one variable or two, `optMap`, `sortBy`: calls that bind names.
// Everything else that looks like a call is expression.ts's.

import { BudgetError, CompileError, EvaluationError } from '../failure.ts'
import { sortByKeys } from '../library/lists.ts'
import {
  boolType,
  type CelType,
  dynType,
  intType,
  isAssignable,
  isDyn,
  isPlain,
  listOf,
  mapOf,
  optionalOf,
  writeType,
} from '../type.ts'
import { fail, ListValue, MapValue, Optional, type Value } from '../value.ts'
import { type Checker, type Compiled, type Frame, type Scope, withVariable } from './scope.ts'
import { presentField, selectOf } from './select.ts'
import type { Node } from './syntax.ts'

/** Deeper loops are refused: each multiplies the steps of what stands in it. */
export const loopsMax = 8

type Ask = (frame: Frame) => Value

interface Loop {
  readonly type: CelType
  readonly run: (rounds: Iterable<Round>, frame: Frame) => Value
}

/** One step of a loop: its variables are set when it is asked for. */
interface Round {
  readonly key: Value
  readonly item: Value
}

/** Undefined when the call is no macro. */
export function compileMacro(checker: Checker, node: Node, scope: Scope): Compiled | undefined {
  if (node.op === 'call') {
    const [name, args] = node.args as readonly [string, readonly Node[]]
    return name === 'has' && args[0] !== undefined && args.length === 1
      ? compileHas(checker, args[0], scope)
      : undefined
  }
  const [name, target, args] = node.args as readonly [string, Node, readonly Node[]]
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2)
    return compileOptMap(checker, { name, target, args }, scope)
  if (name === 'sortBy' && args.length === 2) return compileSortBy(checker, { name, target, args }, scope)
  const variables = variableCount(name, args)
  return variables === 0 ? undefined : compileLoop(checker, { name, target, args }, { scope, variables })
}

interface Macro {
  readonly name: string
  readonly target: Node
  readonly args: readonly Node[]
}

const oneVariable = ['all', 'exists', 'exists_one', 'existsOne', 'filter', 'map']
const twoVariables = [
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'transformList',
  'transformMap',
  'transformMapEntry',
]

function variableCount(name: string, args: readonly Node[]): number {
  const isOne = args.length === 2 || (args.length === 3 && name === 'map')
  if (oneVariable.includes(name) && isOne) return 1
  const isTwo = args.length === 3 || (args.length === 4 && name.startsWith('transform'))
  return twoVariables.includes(name) && isTwo ? 2 : 0
}

function compileHas(checker: Checker, argument: Node, scope: Scope): Compiled {
  if (argument.op !== '.' && argument.op !== '.?')
    throw new CompileError('invalid argument to has() macro', argument.offset)
  const [targetNode, field] = argument.args as readonly [Node, string]
  const target = checker.compile(targetNode, scope)
  const { property } = selectOf(target.type, field, argument.offset)
  return {
    type: boolType,
    run: (frame) => {
      frame.meter.charge(1)
      const value = target.run(frame)
      if (!(value instanceof MapValue) && !(value instanceof Optional)) return fail('no such overload')
      return presentField(value, property) !== undefined
    },
  }
}

function nameOf(node: Node | undefined): string {
  if (node?.op !== 'id') throw new CompileError('argument must be a simple name', node?.offset ?? 0)
  return String(node.args)
}

function compileLoop(
  checker: Checker,
  { name, target, args }: Macro,
  { scope, variables }: { readonly scope: Scope; readonly variables: number },
): Compiled {
  if (scope.loops >= loopsMax)
    throw new CompileError(`loops may not be nested deeper than ${loopsMax}`, target.offset)
  const range = checker.compile(target, scope)
  const types = variableTypes(range.type, variables, target)
  let inner: Scope = { ...scope, loops: scope.loops + 1 }
  const slots: number[] = []
  for (let index = 0; index < variables; index += 1) {
    const [next, slot] = withVariable(inner, nameOf(args[index]), types[index] ?? dynType)
    inner = next
    slots.push(slot)
  }
  const steps = args
    .slice(variables)
    .map((step) => ({ ...checker.compile(step, inner), offset: step.offset }))
  const loop = loopOf(name, range.type, { types, steps })
  const [first = 0, second] = slots
  return {
    type: loop.type,
    run: (frame) => loop.run(rounds(range.run(frame), frame, [first, second]), frame),
  }
}

function variableTypes(range: CelType, variables: number, node: Node): readonly CelType[] {
  if (isDyn(range)) return [dynType, dynType]
  if (range.kind === 'list') return variables === 1 ? [range.item] : [intType, range.item]
  if (range.kind === 'map') return variables === 1 ? [range.key] : [range.key, range.value]
  const text = `expression of type '${writeType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`
  throw new CompileError(text, node.offset)
}

function* rounds(
  range: Value,
  { slots, meter }: Frame,
  [first, second]: readonly [number, number | undefined],
): Generator<Round> {
  const isList = range instanceof ListValue
  if (!isList && !(range instanceof MapValue)) fail('no such overload')
  const keys = isList ? undefined : (range as MapValue).keys()
  const size = isList ? range.size : (keys?.length ?? 0)
  for (let index = 0; index < size; index += 1) {
    meter.charge(1)
    const key = isList ? BigInt(index) : (keys?.[index] ?? null)
    const item = isList ? range.at(index) : ((range as MapValue).get(key) ?? null)
    const isPair = second !== undefined
    slots[first] = isPair || !isList ? key : item
    if (isPair) slots[second] = item
    yield { key, item }
  }
}

interface Step extends Compiled {
  readonly offset: number
}

interface Body {
  readonly types: readonly CelType[]
  readonly steps: readonly Step[]
}

function wantBool({ type, offset }: Step): void {
  if (!isDyn(type) && !isPlain(type, 'bool'))
    throw new CompileError(`expected type 'bool' but found '${writeType(type)}'`, offset)
}

function loopOf(name: string, range: CelType, { types, steps }: Body): Loop {
  const isFiltered = name === 'map' ? steps.length === 2 : name.startsWith('transform') && steps.length === 2
  const last = steps.at(-1)
  const [first] = steps
  if (last === undefined || first === undefined) throw new CompileError('a loop without a body', 0)
  const keep = isFiltered ? first.run : undefined
  if (isFiltered) wantBool(first)
  switch (name) {
    case 'map':
    case 'transformList':
      return { type: listOf(last.type), run: (all, frame) => collect(all, frame, keep, last.run) }
    case 'filter': {
      wantBool(first)
      const type = range.kind === 'list' ? range : listOf(types[0] ?? dynType)
      return { type, run: (all, frame) => filter(all, frame, first.run, range.kind === 'map') }
    }
    case 'transformMap': {
      const type = mapOf(range.kind === 'list' ? intType : (types[0] ?? dynType), last.type)
      return { type, run: (all, frame) => collectMap(all, frame, keep, last.run) }
    }
    case 'transformMapEntry':
      if (!isAssignable(mapOf(dynType, dynType), last.type))
        throw new CompileError(`expected a map but found '${writeType(last.type)}'`, last.offset)
      return { type: last.type, run: (all, frame) => collectEntries(all, frame, keep, last.run) }
    default:
      wantBool(first)
      return { type: boolType, run: (all, frame) => ask(name, all, frame, first.run) }
  }
}

function isTrue(run: Ask, frame: Frame): boolean {
  const value = run(frame)
  return typeof value === 'boolean' ? value : fail('no such overload')
}

function collect(all: Iterable<Round>, frame: Frame, keep: Ask | undefined, make: Ask): Value {
  const made: Value[] = []
  for (const _ of all) if (keep === undefined || isTrue(keep, frame)) made.push(make(frame))
  return ListValue.of(made)
}

function filter(all: Iterable<Round>, frame: Frame, keep: Ask, isMap: boolean): Value {
  const kept: Value[] = []
  for (const { key, item } of all) if (isTrue(keep, frame)) kept.push(isMap ? key : item)
  return ListValue.of(kept)
}

function collectMap(all: Iterable<Round>, frame: Frame, keep: Ask | undefined, make: Ask): Value {
  const entries: (readonly [Value, Value])[] = []
  for (const { key } of all) if (keep === undefined || isTrue(keep, frame)) entries.push([key, make(frame)])
  return MapValue.of(entries)
}

function collectEntries(all: Iterable<Round>, frame: Frame, keep: Ask | undefined, make: Ask): Value {
  const entries: (readonly [Value, Value])[] = []
  for (const _ of all) {
    if (keep !== undefined && !isTrue(keep, frame)) continue
    const made = make(frame)
    if (!(made instanceof MapValue)) return fail('no such overload')
    for (const key of made.keys()) entries.push([key, made.get(key) ?? null])
    frame.meter.charge(made.size)
  }
  const map = MapValue.of(entries)
  return map.size === entries.length ? map : fail('insert failed: key already exists')
}

/** `all` and `exists` are as logic operators: one element that decides makes up for others that fail. */
function ask(name: string, all: Iterable<Round>, frame: Frame, test: Ask): Value {
  if (name !== 'all' && name !== 'exists') {
    let count = 0
    for (const _ of all) if (isTrue(test, frame)) count += 1
    return count === 1
  }
  const decides = name === 'exists'
  let failure: EvaluationError | undefined
  for (const _ of all) {
    try {
      if (isTrue(test, frame) === decides) return decides
    } catch (error) {
      if (error instanceof BudgetError || !(error instanceof EvaluationError)) throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  return !decides
}

function compileOptMap(checker: Checker, { name, target, args }: Macro, scope: Scope): Compiled {
  const optional = checker.compile(target, scope)
  const type = optional.type.kind === 'optional' ? optional.type.inner : dynType
  if (optional.type.kind !== 'optional' && !isDyn(optional.type)) {
    const text = `found no matching overload for '${name}' applied to '${writeType(optional.type)}.()'`
    throw new CompileError(text, target.offset)
  }
  const [inner, slot] = withVariable(scope, nameOf(args[0]), type)
  const body = checker.compile(args[1] as Node, inner)
  const isFlat = name === 'optFlatMap'
  return {
    type: isFlat ? body.type : optionalOf(body.type),
    run: (frame) => {
      frame.meter.charge(1)
      const value = optional.run(frame)
      if (!(value instanceof Optional)) return fail('no such overload')
      if (value.value === undefined) return value
      frame.slots[slot] = value.value
      const made = body.run(frame)
      return isFlat ? made : new Optional(made)
    },
  }
}

function compileSortBy(checker: Checker, { target, args }: Macro, scope: Scope): Compiled {
  const list = checker.compile(target, scope)
  if (!isDyn(list.type) && list.type.kind !== 'list')
    throw new CompileError(`found no matching overload for 'sortBy'`, target.offset)
  const item = list.type.kind === 'list' ? list.type.item : dynType
  const [inner, slot] = withVariable({ ...scope, loops: scope.loops + 1 }, nameOf(args[0]), item)
  const key = checker.compile(args[1] as Node, inner)
  return {
    type: list.type,
    run: (frame) => {
      const value = list.run(frame)
      if (!(value instanceof ListValue)) return fail('no such overload')
      const values = value.toArray()
      const keys = values.map((one) => {
        frame.meter.charge(1)
        frame.slots[slot] = one
        return key.run(frame)
      })
      return sortByKeys(values, keys, frame.meter)
    },
  }
}
