// All functions that an expression can call, by name. Macros are check/macros.ts's.

import { fail, Optional, type Value } from '../value.ts'
import { conversions } from './conversions.ts'
import { lists } from './lists.ts'
import { namedFormats } from './named-formats.ts'
import { network } from './network.ts'
import { operators } from './operators.ts'
import { declare, type Overload } from './overload.ts'
import { amounts } from './quantities.ts'
import { strings } from './strings.ts'
import { times } from './times.ts'

const dereference = ({ value }: Optional): Value => value ?? fail('optional.none() dereference')

/** `ofNonZeroValue` takes what is empty for absent. */
function isEmpty(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  return typeof value === 'object' && 'size' in value && value.size === 0
}

const optionals: readonly Overload[] = [
  declare('optional.of(A): optional<A>', (value: Value) => new Optional(value)),
  declare('optional.none(): optional<A>', () => new Optional(undefined)),
  declare(
    'optional.ofNonZeroValue(A): optional<A>',
    (value: Value) => new Optional(isEmpty(value) ? undefined : value),
  ),
  declare('.hasValue(optional<A>): bool', ({ value }: Optional) => value !== undefined),
  declare('.value(optional<A>): A', dereference),
  declare('.or(optional<A>, optional<A>): optional<A>', (a: Optional, b: Optional) =>
    a.value === undefined ? b : a,
  ),
  declare('.orValue(optional<A>, A): A', ({ value }: Optional, other: Value) =>
    value === undefined ? other : value,
  ),
]

const byName = new Map<string, Overload[]>()
for (const overload of [
  ...[operators, conversions, strings, lists, times, network, amounts, namedFormats, optionals].flat(),
]) {
  const known = byName.get(overload.name)
  if (known === undefined) byName.set(overload.name, [overload])
  else known.push(overload)
}

export const overloadsOf = (name: string, isMember: boolean): readonly Overload[] =>
  (byName.get(name) ?? []).filter((overload) => overload.isMember === isMember)
