// Compiled patterns of CRD schemas, in RE2 syntax and linear time, kept in a bounded cache.
// Patterns are compiled when they are first needed: most are never asked.

import { RE2JS } from 're2js'

/** Longer patterns are refused: compiling takes longer than a request should. */
export const patternLengthMax = 16_384
const patternsKept = 2_000

const compiled = new Map<string, RE2JS>()

/** What is wrong with a pattern, in Go's words; undefined when it can be used. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > patternLengthMax) return `longer than ${patternLengthMax} characters`
  try {
    compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Whether any part of the text matches; false for a pattern that cannot be compiled. */
export function matchesPattern(pattern: string, text: string): boolean {
  return patternProblem(pattern) === undefined && compile(pattern).test(text)
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const made = RE2JS.compile(pattern)
  if (compiled.size >= patternsKept) {
    const [oldest] = compiled.keys()
    if (oldest !== undefined) compiled.delete(oldest)
  }
  compiled.set(pattern, made)
  return made
}
