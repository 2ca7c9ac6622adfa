// Label and field selectors: their grammar as clients write it in a query, and what they match.
// Upstream: apimachinery/pkg/labels and pkg/fields. Which fields a kind can select by is the kind's answer.

import { badRequest } from './status.ts'
import { labelValueRule, qualifiedName } from './validate/names.ts'

export const labelOperators = ['!', '!=', '<', '=', '==', '>', 'exists', 'in', 'notin'] as const
export type LabelOperator = (typeof labelOperators)[number]

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  /** Sorted, without duplicates; empty for `exists` and `!`. */
  readonly values: readonly string[]
}

type Labels = Readonly<Record<string, string>>

export interface LabelSelector {
  /** Whether it lets everything through. */
  readonly isEmpty: boolean
  /** True for an absent selector of an object, which selects nothing; its requirements are empty too. */
  readonly matchesNothing: boolean
  readonly requirements: readonly LabelRequirement[]
  /** The selector in canonical form, sorted by key. */
  readonly text: string
  readonly matches: (labels: Labels | undefined) => boolean
}

/** The `LabelSelector` type of meta/v1, as objects hold it. */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels | undefined
  readonly matchExpressions?:
    | readonly {
        readonly key: string
        readonly operator: string
        readonly values?: readonly string[] | undefined
      }[]
    | undefined
}

/** Parses a `labelSelector` query parameter; throws a 400 with upstream's text. */
export function parseLabelSelector(text: string): LabelSelector {
  return selectorOf(parseRequirements(text))
}

const objectOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

/** An absent selector matches nothing, an empty one everything. Throws a 400 when it is malformed. */
export function fromLabelSelectorObject(object: LabelSelectorObject | null | undefined): LabelSelector {
  if (object === undefined || object === null) return nothing
  const byLabels = Object.entries(object.matchLabels ?? {}).map(([key, value]) =>
    requirementOf(key, '=', [value]),
  )
  const byExpressions = (object.matchExpressions ?? []).map((expression) => {
    const operator = Object.hasOwn(objectOperators, expression.operator)
      ? objectOperators[expression.operator]
      : undefined
    if (operator === undefined) {
      throw badRequest(`${JSON.stringify(expression.operator)} is not a valid label selector operator`)
    }
    return requirementOf(expression.key, operator, expression.values ?? [])
  })
  return selectorOf([...byLabels, ...byExpressions])
}

/** A plain map as Services and ReplicationControllers hold it; an empty or absent one matches nothing here. */
export function fromLabelMap(map: Labels | undefined): LabelSelector {
  const entries = Object.entries(map ?? {})
  if (entries.length === 0) return nothing
  return selectorOf(entries.map(([key, value]) => ({ key, operator: '=' as const, values: [value] })))
}

export const everything: LabelSelector = selectorOf([])

export const nothing: LabelSelector = {
  isEmpty: false,
  matchesNothing: true,
  requirements: [],
  text: '',
  matches: () => false,
}

function selectorOf(unsorted: readonly LabelRequirement[]): LabelSelector {
  const requirements = unsorted.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return {
    isEmpty: requirements.length === 0,
    matchesNothing: false,
    requirements,
    text: requirements.map(requirementText).join(','),
    matches: (labels = {}) => requirements.every((requirement) => meets(requirement, labels)),
  }
}

function meets({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case '<':
    case '>':
      return comparesTo(value, operator, values[0])
  }
}

function comparesTo(value: string | undefined, operator: '<' | '>', limit: string | undefined): boolean {
  const [have, want] = [parseInteger(value), parseInteger(limit)]
  if (have === undefined || want === undefined) return false
  return operator === '<' ? have < want : have > want
}

function parseInteger(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?[0-9]{1,63}$/.test(text)) return undefined
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return BigInt.asIntN(64, number) === number ? number : undefined
}

function requirementText({ key, operator, values }: LabelRequirement): string {
  if (operator === 'exists') return key
  if (operator === '!') return `!${key}`
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${values.join(',')})`
  return `${key}${operator}${values.join(',')}`
}

/** Checks one requirement and gives it its canonical form. */
function requirementOf(key: string, operator: LabelOperator, given: readonly string[]): LabelRequirement {
  const problems = qualifiedProblems('key', key)
  const shown = JSON.stringify(given)
  if (operator === 'in' || operator === 'notin') {
    if (given.length === 0)
      problems.push(`values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`)
  } else if (operator === 'exists' || operator === '!') {
    if (given.length > 0)
      problems.push(`values: Invalid value: ${shown}: values set must be empty for exists and does not exist`)
  } else if (operator === '<' || operator === '>') {
    given.forEach((value, index) => {
      if (parseInteger(value) === undefined)
        problems.push(
          `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        )
    })
  }
  given.forEach((value, index) => {
    const wrong = labelValueRule(value)
    if (wrong.length > 0)
      problems.push(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join('; ')}`)
  })
  const [only] = problems
  if (only !== undefined) throw badRequest(problems.length === 1 ? only : `[${problems.join(', ')}]`)
  return { key, operator, values: [...new Set(given)].sort() }
}

function qualifiedProblems(field: string, key: string): string[] {
  const wrong = qualifiedName(key)
  return wrong.length === 0 ? [] : [`${field}: Invalid value: ${JSON.stringify(key)}: ${wrong.join('; ')}`]
}

interface Token {
  readonly type: 'end' | 'identifier' | 'in' | 'notin' | '!' | '!=' | '(' | ')' | ',' | '<' | '=' | '==' | '>'
  readonly text: string
}

const tokenPattern = /[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+|$)/y

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  tokenPattern.lastIndex = 0
  while (true) {
    const found = tokenPattern.exec(text)?.[1] ?? ''
    if (found === '') return [...tokens, { type: 'end', text: '' }]
    const isWord = !/^[=!(),<>]/.test(found) && found !== 'in' && found !== 'notin'
    tokens.push({ type: isWord ? 'identifier' : (found as Token['type']), text: found })
  }
}

/** Where the parser stands in its tokens; the last one is always `end`. */
interface Cursor {
  readonly tokens: readonly Token[]
  at: number
}

const endToken: Token = { type: 'end', text: '' }
const peek = (cursor: Cursor): Token => cursor.tokens[cursor.at] ?? endToken
const take = (cursor: Cursor): Token => {
  const token = peek(cursor)
  cursor.at += 1
  return token
}
/** Where a key or value may stand, `in` and `notin` are plain words. */
const isWord = ({ type }: Token): boolean => type === 'identifier' || type === 'in' || type === 'notin'

function parseRequirements(text: string): readonly LabelRequirement[] {
  const cursor: Cursor = { tokens: tokensOf(text), at: 0 }
  const requirements: LabelRequirement[] = []
  while (true) {
    const first = peek(cursor)
    if (first.type === 'end') return requirements
    if (!isWord(first) && first.type !== '!')
      throw badRequest(`found '${first.text}', expected: !, identifier, or 'end of string'`)
    requirements.push(parseRequirement(cursor))
    const after = take(cursor)
    if (after.type === 'end') return requirements
    if (after.type !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`)
    const next = peek(cursor)
    if (!isWord(next) && next.type !== '!')
      throw badRequest(`found '${next.text}', expected: identifier after ','`)
  }
}

const unreadable = (detail: string): Error => badRequest(`unable to parse requirement: ${detail}`)

function parseRequirement(cursor: Cursor): LabelRequirement {
  const isNegated = peek(cursor).type === '!'
  if (isNegated) take(cursor)
  const key = take(cursor)
  if (!isWord(key)) throw unreadable(`found '${key.text}', expected: identifier`)
  // Upstream has no path here, and prints Go's nil.
  const [problem] = qualifiedProblems('<nil>', key.text)
  if (problem !== undefined) throw unreadable(problem)
  if (isNegated) return { key: key.text, operator: '!', values: [] }
  const next = peek(cursor).type
  if (next === 'end' || next === ',') return { key: key.text, operator: 'exists', values: [] }
  return parseComparison(cursor, key.text)
}

function parseComparison(cursor: Cursor, key: string): LabelRequirement {
  const operator = take(cursor)
  switch (operator.type) {
    case 'in':
    case 'notin':
      return checked(key, operator.type, parseValues(cursor))
    case '=':
    case '==':
    case '!=':
    case '<':
    case '>':
      return checked(key, operator.type, [parseExactValue(cursor)])
    default:
      throw unreadable(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`)
  }
}

function checked(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  try {
    return requirementOf(key, operator, [...new Set(values)].sort())
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error))
  }
}

function parseExactValue(cursor: Cursor): string {
  const next = peek(cursor)
  if (next.type === 'end' || next.type === ',') return ''
  take(cursor)
  if (!isWord(next)) throw unreadable(`found '${next.text}', expected: identifier`)
  return next.text
}

/** `(a, b)`; an empty place between commas is the empty value. */
function parseValues(cursor: Cursor): readonly string[] {
  const open = take(cursor)
  if (open.type !== '(') throw unreadable(`found '${open.text}' expected: '('`)
  const first = peek(cursor)
  if (first.type !== ')' && first.type !== ',' && !isWord(first))
    throw unreadable(`found '${first.text}', expected: ',', ')' or identifier`)
  const values: string[] = []
  while (true) {
    const next = peek(cursor)
    const isValue = isWord(next)
    if (!isValue && next.type !== ',' && next.type !== ')')
      throw unreadable(`found '${next.text}', expected: ',', or identifier`)
    values.push(isValue ? take(cursor).text : '')
    const separator = take(cursor)
    if (separator.type === ')') return values
    if (separator.type === ',') continue
    throw unreadable(`found '${separator.text}', expected: ',' or ')'`)
  }
}

export interface FieldRequirement {
  readonly field: string
  readonly operator: '!=' | '='
  readonly value: string
}

export interface FieldSelector {
  readonly isEmpty: boolean
  readonly requirements: readonly FieldRequirement[]
}

/** Parses a `fieldSelector` query parameter; `==` becomes `=`. Throws a 400 with upstream's text. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements = splitTerms(text)
    .filter((term) => term !== '')
    .sort()
    .map((term) => {
      const parts = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
      if (parts === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
      const [, field = '', operator, value = ''] = parts
      return {
        field,
        operator: operator === '!=' ? ('!=' as const) : ('=' as const),
        value: unescapeValue(value),
      }
    })
    // A bare `=` asks for nothing.
    .filter(({ field, value }) => field !== '' || value !== '')
  return { isEmpty: requirements.length === 0, requirements }
}

/** Whether an object passes; a field it does not have counts as the empty text. */
export function matchesFields(
  selector: FieldSelector,
  getField: (field: string) => string | undefined,
): boolean {
  return selector.requirements.every(
    ({ field, operator, value }) => ((getField(field) ?? '') === value) === (operator === '='),
  )
}

/** The value that a field must have, when the selector demands a single one. */
export function requiredFieldValue(selector: FieldSelector, field: string): string | undefined {
  return selector.requirements.find((one) => one.field === field && one.operator === '=')?.value
}

/** Throws a 400 for fields that the kind has no selector for; `supported` excludes the metadata fields. */
export function refuseUnknownFields(selector: FieldSelector, supported: (field: string) => boolean): void {
  for (const { field } of selector.requirements) {
    if (field === 'metadata.name' || field === 'metadata.namespace' || supported(field)) continue
    throw badRequest(`field label not supported: ${field}`)
  }
}

/** Writes a literal value so that it can stand in a field selector. */
export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, (found) => `\\${found}`)

function splitTerms(text: string): string[] {
  return text.match(/(?:[^\\,]|\\.|\\$)+/gs) ?? []
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text
  let value = ''
  const characters = [...text]
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? ''
    if (character === ',' || character === '=')
      throw badRequest(`invalid field selector: unescaped character in value: ${character.codePointAt(0)}`)
    if (character !== '\\') {
      value += character
      continue
    }
    index += 1
    const escaped = characters[index] ?? ''
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=')
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`)
    value += escaped
  }
  return value
}
