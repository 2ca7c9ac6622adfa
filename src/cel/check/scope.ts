// What the parts of the checker hand each other: the names in scope, and an expression that is ready to run.

import type { Meter } from '../failure.ts'
import type { CelType } from '../type.ts'
import type { Value } from '../value.ts'
import type { Node } from './syntax.ts'

/** One evaluation. Each variable has a slot of its own. */
export interface Frame {
  readonly slots: Value[]
  readonly meter: Meter
}

export interface Compiled {
  readonly type: CelType
  readonly run: (frame: Frame) => Value
  /** The value of a literal. */
  readonly literal?: Value
}

export interface Variable {
  readonly type: CelType
  readonly slot: number
}

export interface Scope {
  readonly variables: ReadonlyMap<string, Variable>
  readonly slotCount: number
  /** How many loops stand around. */
  readonly loops: number
}

export interface Checker {
  readonly compile: (node: Node, scope: Scope) => Compiled
  readonly used: Set<string>
}

export function withVariable(scope: Scope, name: string, type: CelType): readonly [Scope, number] {
  const slot = scope.slotCount
  const variables = new Map(scope.variables).set(name, { type, slot })
  return [{ ...scope, variables, slotCount: slot + 1 }, slot]
}
