// Regular expressions in RE2's syntax and linear time, with a bounded cache of what was compiled.
// A literal pattern that cannot be compiled is refused by check/calls.ts.

import { RE2JS } from 're2js'
import type { Meter } from '../failure.ts'
import { fail, ListValue, type Value } from '../value.ts'

const patternLengthMax = 10_000
const patternsKept = 500
const compiled = new Map<string, RE2JS>()

/** What is wrong with a pattern; undefined when it can be used. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > patternLengthMax) return `longer than ${patternLengthMax} characters`
  try {
    compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const made = RE2JS.compile(pattern)
  const [oldest] = compiled.keys()
  if (compiled.size >= patternsKept && oldest !== undefined) compiled.delete(oldest)
  compiled.set(pattern, made)
  return made
}

/** The automaton's work is the text's length times the pattern's; compiling one costs as much as a short search. */
function prepare(text: string, pattern: string, meter: Meter): RE2JS {
  if (!compiled.has(pattern)) meter.charge(200 + pattern.length * 20)
  meter.charge((1 + text.length / 10) * Math.ceil((1 + pattern.length) / 4))
  const problem = patternProblem(pattern)
  if (problem !== undefined) fail(problem)
  return compile(pattern)
}

export function matches(text: string, pattern: string, meter: Meter): boolean {
  return prepare(text, pattern, meter).test(text)
}

export function findFirst(text: string, pattern: string, meter: Meter): string {
  const matcher = prepare(text, pattern, meter).matcher(text)
  return matcher.find() ? (matcher.group() ?? '') : ''
}

export function findAll(text: string, pattern: string, most: bigint, meter: Meter): Value {
  const found: Value[] = []
  if (most === 0n) return ListValue.of(found)
  const matcher = prepare(text, pattern, meter).matcher(text)
  while (matcher.find()) {
    // A search that finds nothing goes through the rest of the text each time.
    meter.charge(1 + (text.length - matcher.end()) / 1000)
    found.push(matcher.group() ?? '')
    if (most > 0n && BigInt(found.length) >= most) break
  }
  return ListValue.of(found)
}
