// Parses an expression with the library's grammar, within bounds, into nodes of our own form.
// The library's checker and evaluator are not used: they know neither costs nor Kubernetes' types.

import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { CompileError } from '../failure.ts'

/** Longer expressions are refused. The longest of published CRDs have some 2,000 characters. */
export const expressionLengthMax = 32_768
export const nodesMax = 10_000
/** Nesting of brackets and calls, and of operators beside each other: evaluation recurses along both. */
const depthMax = 250
const chainMax = 1_000

export interface Node {
  readonly op: ASTNode['op']
  readonly args: unknown
  /** Where an error at this node is shown. */
  readonly offset: number
  readonly start: number
  readonly end: number
}

const environment = new Environment({
  enableOptionalTypes: true,
  unlistedVariablesAreDyn: true,
  limits: { maxAstNodes: nodesMax, maxDepth: depthMax },
})

export function parse(text: string): Node {
  if (text.length > expressionLengthMax)
    throw new CompileError(`expression is longer than ${expressionLengthMax} characters`, 0)
  try {
    return toNode(environment.parse(text).ast, text, 0)
  } catch (error) {
    if (error instanceof CompileError) throw error
    if (!(error instanceof ParseError)) throw error
    throw syntaxError(error, text)
  }
}

function syntaxError(cause: ParseError, text: string): CompileError {
  const offset = cause.range?.start ?? 0
  // Optional elements of lists and maps are beyond the library's grammar.
  const isUnsupported = text[offset] === '?' && /[[{,]\s*$/.test(text.slice(0, offset))
  return new CompileError(`Syntax error: ${lowerFirst(cause.summary)}`, offset, { isUnsupported, cause })
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

function toNode(ast: ASTNode, text: string, depth: number): Node {
  if (depth > chainMax) throw new CompileError('expression recursion limit exceeded', ast.start)
  const convert = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(convert)
    return isAst(inner) ? toNode(inner, text, depth + 1) : inner
  }
  const { op, start, end } = ast
  return { op, args: convert(ast.args), offset: offsetOf(ast, text), start, end }
}

const isAst = (value: unknown): value is ASTNode =>
  typeof value === 'object' && value !== null && 'op' in value && 'toOldStructure' in value

/** As upstream shows it: an operator, the dot of a selection, the bracket of a call. */
function offsetOf(ast: ASTNode, text: string): number {
  const { args } = ast
  const [first, second] = Array.isArray(args) ? (args as readonly unknown[]) : []
  if (ast.op === 'call') return text.indexOf('(', ast.start)
  if (ast.op === 'rcall' && isAst(second)) return text.indexOf('(', second.end)
  if (ast.op === '.' || ast.op === '.?') return Math.max(ast.start, text.lastIndexOf('.', ast.pos))
  if (ast.op === '[]' || ast.op === '[?]') return isAst(first) ? text.indexOf('[', first.end) : ast.start
  const isBinary = isAst(first) && isAst(second) && ast.op !== 'list'
  if (!isBinary) return ast.start
  const found = text.indexOf(ast.op === '?:' ? '?' : ast.op, first.end)
  return found === -1 ? ast.start : found
}
