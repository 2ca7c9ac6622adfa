// How library functions are declared: a name, the types it takes and answers, and the function.
// Choosing among them is check/calls.ts's.

import type { Meter } from '../failure.ts'
import { type CelType, readType, splitTypes } from '../type.ts'
import type { Value } from '../value.ts'

/** The last argument is the meter: what does more than a few steps charges for them. */
export type Run = (...given: never[]) => Value

export interface Overload {
  readonly name: string
  readonly isMember: boolean
  readonly params: readonly CelType[]
  readonly result: CelType
  readonly run: Run
}

/** `declare('string.charAt', 'int', 'string', …)` is a method; a name without a receiver is a function. */
export function declare(signature: string, run: Run): Overload {
  const [, isMember = '', name = '', params = '', result = ''] =
    /^(\.?)([^(]+)\((.*)\): (.+)$/.exec(signature) ?? []
  return {
    name,
    isMember: isMember !== '',
    params: splitTypes(params).map(readType),
    result: readType(result),
    run,
  }
}

export function callOverload({ run }: Overload, given: readonly Value[], meter: Meter): Value {
  return run(...([...given, meter] as never[]))
}
