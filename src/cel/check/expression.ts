// Checks the types of a node and turns it into a function: one step down the tree for each operator.
// Overloads are chosen by calls.ts, loops and `has` are macros.ts's.

import { CompileError, EvaluationError } from '../failure.ts'
import { overloadsOf } from '../library/library.ts'
import { noSuchKey } from '../library/operators.ts'
import {
  type CelType,
  dynType,
  isAssignable,
  isDyn,
  isPlain,
  joinTypes,
  listOf,
  mapOf,
  optionalOf,
  plainType,
  typeType,
  writeType,
} from '../type.ts'
import { fail, kindOf, ListValue, MapValue, Optional, TypeValue, Uint, type Value } from '../value.ts'
import { compileCall } from './calls.ts'
import { compileMacro } from './macros.ts'
import type { Checker, Compiled, Frame, Scope } from './scope.ts'
import { presentField, selectOf } from './select.ts'
import type { Node } from './syntax.ts'

export function makeChecker(): Checker {
  const used = new Set<string>()
  const checker: Checker = { used, compile: (node, scope) => compileNode(checker, node, scope) }
  return checker
}

const binaryOperators = ['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '==', '!=', 'in']

function compileNode(checker: Checker, node: Node, scope: Scope): Compiled {
  if (binaryOperators.includes(node.op)) return compileOperator(checker, node, scope)
  switch (node.op) {
    case 'value':
      return compileLiteral(node)
    case 'id':
      return compileName(checker, node, scope)
    case '.':
      return compileSelect(checker, node, scope)
    case '.?':
    case '[?]':
      return compileOptionalSelect(checker, node, scope)
    case '[]':
      return compileIndex(checker, node, scope)
    case 'call':
    case 'rcall':
      return compileMacro(checker, node, scope) ?? compileFunction(checker, node, scope)
    case 'list':
      return compileList(checker, node, scope)
    case 'map':
      return compileMap(checker, node, scope)
    case '?:':
      return compileConditional(checker, node, scope)
    case '||':
    case '&&':
      return compileLogic(checker, node, scope)
    default:
      return compileUnary(checker, node, scope)
  }
}

const operands = (node: Node): readonly Node[] => node.args as readonly Node[]

function constant(type: CelType, literal: Value): Compiled {
  return { type, literal, run: () => literal }
}

function compileLiteral({ args, offset }: Node): Compiled {
  if (args === null) return constant(plainType('null'), null)
  if (typeof args === 'bigint') {
    if (BigInt.asIntN(64, args) !== args) throw new CompileError('invalid int literal', offset)
    return constant(plainType('int'), args)
  }
  if (typeof args === 'object' && 'value' in args)
    return constant(plainType('uint'), new Uint(args.value as bigint))
  const value = args as string | number | boolean | Uint8Array
  return constant(plainType(kindOf(value)), value)
}

const typeNames = new Map<string, string>([
  ...['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'type'].map(
    (name): [string, string] => [name, name],
  ),
  ['null_type', 'null'],
  ['optional_type', 'optional'],
  ['google.protobuf.Timestamp', 'timestamp'],
  ['google.protobuf.Duration', 'duration'],
  ['net.IP', 'ip'],
  ['net.CIDR', 'cidr'],
  ['kubernetes.URL', 'url'],
  ['kubernetes.Quantity', 'quantity'],
  ['kubernetes.Semver', 'semver'],
  ['kubernetes.NamedFormat', 'format'],
])

function compileName(checker: Checker, { args, offset }: Node, scope: Scope): Compiled {
  const name = String(args)
  const variable = scope.variables.get(name)
  if (variable !== undefined) {
    checker.used.add(name)
    const { slot, type } = variable
    return {
      type,
      run: ({ slots, meter }) => {
        meter.charge(1)
        return slots[slot] ?? null
      },
    }
  }
  const type = typeNames.get(name)
  if (type !== undefined) return constant(typeType, new TypeValue(type))
  throw new CompileError(`undeclared reference to '${name}' (in container '')`, offset)
}

/** `google.protobuf.Timestamp`; undefined for what starts with a variable or is no chain of names. */
function dottedName(node: Node, scope: Scope): string | undefined {
  if (node.op === 'id') return scope.variables.has(String(node.args)) ? undefined : String(node.args)
  if (node.op !== '.') return undefined
  const [target, field] = node.args as readonly [Node, string]
  const before = dottedName(target, scope)
  return before === undefined ? undefined : `${before}.${field}`
}

function compileSelect(checker: Checker, node: Node, scope: Scope): Compiled {
  const typeName = typeNames.get(dottedName(node, scope) ?? '')
  if (typeName !== undefined) return constant(typeType, new TypeValue(typeName))
  const [targetNode, field] = node.args as readonly [Node, string]
  const target = checker.compile(targetNode, scope)
  const select = selectOf(target.type, field, node.offset)
  const isOptional = target.type.kind === 'optional'
  return {
    type: isOptional ? optionalOf(select.type) : select.type,
    run: (frame) => {
      frame.meter.charge(1)
      const value = target.run(frame)
      if (value instanceof Optional) return new Optional(presentField(value, select.property))
      if (!(value instanceof MapValue)) return fail('no such overload')
      const found = value.get(select.property)
      return found === undefined ? noSuchKey(select.property) : found
    },
  }
}

function compileOptionalSelect(checker: Checker, node: Node, scope: Scope): Compiled {
  const [targetNode, key] = node.args as readonly [Node, Node | string]
  const target = checker.compile(targetNode, scope)
  if (typeof key === 'string') {
    const select = selectOf(target.type, key, node.offset)
    return {
      type: optionalOf(select.type),
      run: (frame) => {
        frame.meter.charge(1)
        return new Optional(presentField(target.run(frame), select.property))
      },
    }
  }
  const index = checker.compile(key, scope)
  const inner = target.type.kind === 'optional' ? target.type.inner : target.type
  return {
    type: optionalOf(inner.kind === 'list' ? inner.item : inner.kind === 'map' ? inner.value : dynType),
    run: (frame) => {
      frame.meter.charge(1)
      const value = target.run(frame)
      const held = value instanceof Optional ? value.value : value
      const at = index.run(frame)
      if (held instanceof MapValue) return new Optional(held.get(at))
      const isInside =
        held instanceof ListValue && typeof at === 'bigint' && at >= 0n && at < BigInt(held.size)
      return new Optional(isInside ? held.at(Number(at)) : undefined)
    },
  }
}

function compileIndex(checker: Checker, node: Node, scope: Scope): Compiled {
  const [target, index] = operands(node).map((operand) => checker.compile(operand, scope))
  if (target === undefined || index === undefined) throw new CompileError('no index', node.offset)
  if (target.type.kind === 'optional') {
    const inner = { ...node, op: '[?]' } as const
    return compileOptionalSelect(checker, inner, scope)
  }
  return callNamed('_[_]', node.offset, [target, index])
}

function callNamed(name: string, offset: number, given: readonly Compiled[]): Compiled {
  return compileCall({ name, overloads: overloadsOf(name, false), isMember: false, offset }, given)
}

function compileOperator(checker: Checker, node: Node, scope: Scope): Compiled {
  const given = operands(node).map((operand) => checker.compile(operand, scope))
  return callNamed(node.op === 'in' ? '@in' : `_${node.op}_`, node.offset, given)
}

function compileUnary(checker: Checker, node: Node, scope: Scope): Compiled {
  const operand = node.args as Node
  // The least integer has no positive form.
  if (node.op === '-_' && operand.op === 'value' && typeof operand.args === 'bigint')
    return compileLiteral({ ...operand, args: -operand.args })
  return callNamed(node.op === '-_' ? '-_' : '!_', node.offset, [checker.compile(operand, scope)])
}

function compileFunction(checker: Checker, node: Node, scope: Scope): Compiled {
  const [name, ...rest] = node.args as readonly [string, ...unknown[]]
  if (node.op === 'call') {
    const overloads = overloadsOf(name, false)
    if (overloads.length === 0) throw undeclared(name, node.offset)
    const given = (rest[0] as readonly Node[]).map((one) => checker.compile(one, scope))
    return compileCall({ name, overloads, isMember: false, offset: node.offset }, given)
  }
  const [target, args] = rest as unknown as readonly [Node, readonly Node[]]
  const prefix = dottedName(target, scope)
  const qualified = prefix === undefined ? [] : overloadsOf(`${prefix}.${name}`, false)
  if (qualified.length > 0) {
    const given = args.map((one) => checker.compile(one, scope))
    return compileCall(
      { name: `${prefix}.${name}`, overloads: qualified, isMember: false, offset: node.offset },
      given,
    )
  }
  const given = [target, ...args].map((one) =>
    // What is written into a text may be of any type.
    name === 'format' && one.op === 'list'
      ? compileList(checker, one, scope, true)
      : checker.compile(one, scope),
  )
  const overloads = overloadsOf(name, true)
  if (overloads.length === 0) throw undeclared(name, node.offset)
  return compileCall({ name, overloads, isMember: true, offset: node.offset }, given)
}

const undeclared = (name: string, offset: number): CompileError =>
  new CompileError(`undeclared reference to '${name}' (in container '')`, offset)

function compileList(checker: Checker, node: Node, scope: Scope, isMixed = false): Compiled {
  const items = operands(node).map((item) => checker.compile(item, scope))
  return {
    type: listOf(isMixed ? dynType : commonType(items, operands(node))),
    run: (frame) => {
      frame.meter.charge(10 + items.length)
      return ListValue.of(items.map(({ run }) => run(frame)))
    },
  }
}

function commonType(items: readonly Compiled[], nodes: readonly Node[]): CelType {
  let type: CelType | undefined
  for (const [index, item] of items.entries()) {
    const joined = type === undefined ? item.type : joinTypes(type, item.type)
    if (joined === undefined) {
      const [wanted, found] = [writeType(type ?? dynType), writeType(item.type)]
      throw new CompileError(`expected type '${wanted}' but found '${found}'`, nodes[index]?.offset ?? 0)
    }
    type = joined
  }
  return type ?? dynType
}

function compileMap(checker: Checker, node: Node, scope: Scope): Compiled {
  const pairs = node.args as readonly (readonly [Node, Node])[]
  const keys = pairs.map(([key]) => checker.compile(key, scope))
  const values = pairs.map(([, value]) => checker.compile(value, scope))
  return {
    type: mapOf(
      commonType(
        keys,
        pairs.map(([key]) => key),
      ),
      commonType(
        values,
        pairs.map(([, value]) => value),
      ),
    ),
    run: (frame) => {
      frame.meter.charge(30 + keys.length)
      const entries = keys.map(({ run }, index) => [run(frame), values[index]?.run(frame) ?? null] as const)
      const map = MapValue.of(entries)
      return map.size === entries.length ? map : fail('failed with repeated key')
    },
  }
}

function compileConditional(checker: Checker, node: Node, scope: Scope): Compiled {
  const [condition, yes, no] = operands(node).map((operand) => checker.compile(operand, scope))
  if (condition === undefined || yes === undefined || no === undefined)
    throw new CompileError('incomplete conditional', node.offset)
  const type = joinTypes(yes.type, no.type)
  if (type === undefined || !isAssignable(plainType('bool'), condition.type)) {
    const written = [condition, yes, no].map((one) => writeType(one.type)).join(', ')
    throw new CompileError(`found no matching overload for '_?_:_' applied to '(${written})'`, node.offset)
  }
  return {
    type,
    run: (frame) => {
      const value = condition.run(frame)
      if (typeof value !== 'boolean') return fail('no such overload')
      return value ? yes.run(frame) : no.run(frame)
    },
  }
}

/** A chain of the same operator is one node: long chains do not nest. */
function compileLogic(checker: Checker, node: Node, scope: Scope): Compiled {
  const parts = chain(node, node.op).map((part) => checker.compile(part, scope))
  const odd = parts.find(({ type }) => !isDyn(type) && !isPlain(type, 'bool'))
  if (odd !== undefined) {
    const text = `expected type 'bool' but found '${writeType(odd.type)}'`
    throw new CompileError(text, node.offset)
  }
  const decides = node.op === '||'
  return { type: plainType('bool'), run: (frame) => runLogic(parts, decides, frame) }
}

/** One part that decides makes up for others that fail. */
function runLogic(parts: readonly Compiled[], decides: boolean, frame: Frame): Value {
  let failure: EvaluationError | undefined
  for (const { run } of parts) {
    try {
      const value = run(frame)
      if (value === decides) return decides
      if (typeof value !== 'boolean') failure ??= new EvaluationError('no such overload')
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  return !decides
}

function chain(node: Node, op: Node['op']): readonly Node[] {
  const parts: Node[] = []
  let rest = node
  while (rest.op === op) {
    const [left, right] = operands(rest)
    if (left === undefined || right === undefined) break
    parts.unshift(right)
    rest = left
  }
  return [rest, ...parts]
}
