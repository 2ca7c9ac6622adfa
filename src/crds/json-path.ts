// The JSONPath of printer columns and selectable fields: Kubernetes' own dialect, compiled once.
// Upstream: client-go/util/jsonpath. How a value is shown is columns.ts's.

import { type Fields, isFields } from '../kinds/fields.ts'

/** All values at the path; empty when there is none or the path does not fit the object. */
export type JsonPath = (object: unknown) => readonly unknown[]

type Step = (values: readonly unknown[]) => readonly unknown[]

/** Undefined for a path that cannot be read. */
export function compileJsonPath(path: string): JsonPath | undefined {
  if (path.length > pathLengthMax) return undefined
  try {
    const steps = new PathReader(path).steps()
    return (object) => {
      try {
        return steps.reduce<readonly unknown[]>((values, step) => step(values), [object])
      } catch {
        return []
      }
    }
  } catch {
    return undefined
  }
}

const pathLengthMax = 4_096
const resultsMax = 10_000

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isFields(value) && Object.hasOwn(value, name) ? [value[name]] : []))

const wildcard: Step = (values) => values.flatMap(childrenOf)

/** Every value below, each that has something below it. */
const descend: Step = (values) => {
  const found: unknown[] = []
  const waiting = [...values]
  for (
    let value = waiting.shift();
    value !== undefined && found.length < resultsMax;
    value = waiting.shift()
  ) {
    const children = childrenOf(value)
    if (children.length === 0) continue
    found.push(value)
    waiting.unshift(...children.filter((child) => child !== undefined && child !== null))
  }
  return found
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isFields(value) ? Object.values(value) : []
}

interface Slice {
  readonly start: number | undefined
  readonly end: number | undefined
  readonly step: number | undefined
}

const slice =
  ({ start, end, step = 1 }: Slice): Step =>
  (values) =>
    values.flatMap((value) => {
      if (value === null || value === undefined) return []
      if (!Array.isArray(value)) throw new Error('not a list')
      const from = start === undefined ? 0 : start < 0 ? start + value.length : start
      const to = end === undefined ? value.length : end < 0 ? end + value.length : end
      if (from === to) return []
      if (from < 0 || from >= value.length || to < from || to > value.length) throw new Error('out of bounds')
      return value.slice(from, to).filter((_, index) => index % step === 0)
    })

/** One element; a missing one makes the whole path fail, as upstream has it. */
const element =
  (index: number): Step =>
  (values) =>
    slice({ start: index, end: index === -1 ? undefined : index + 1, step: 1 })(values)

const compare: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => comparable(left, right) && (left as number) < (right as number),
  '<=': (left, right) => comparable(left, right) && (left as number) <= (right as number),
  '>': (left, right) => comparable(left, right) && (left as number) > (right as number),
  '>=': (left, right) => comparable(left, right) && (left as number) >= (right as number),
}

const comparable = (left: unknown, right: unknown): boolean =>
  typeof left === typeof right && (typeof left === 'number' || typeof left === 'string')

type Operand = (item: unknown) => readonly unknown[]

const filter =
  (matches: (item: unknown) => boolean): Step =>
  (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new Error('not a list')
      return value.filter(matches)
    })

class PathReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  steps(): readonly Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) steps.push(...this.#next())
    return steps
  }

  #next(): readonly Step[] {
    const rest = this.#text.slice(this.#at)
    if (rest.startsWith('[?(')) return [this.#filter()]
    if (rest.startsWith('[')) return [this.#bracket()]
    if (rest.startsWith('..')) {
      this.#at += /^\.\.[\w*]/.test(rest) ? 1 : 2
      return [descend]
    }
    if (rest.startsWith('.')) return this.#field()
    if (rest.startsWith('@') || rest.startsWith('$') || rest.startsWith(' ')) {
      this.#at += 1
      return []
    }
    throw new Error(`unrecognized character in path: ${rest[0]}`)
  }

  #field(): readonly Step[] {
    const name = /^\.((?:\\.|[^\\\s.,[\]$@{}])*)/s.exec(this.#text.slice(this.#at))?.[0] ?? '.'
    this.#at += name.length
    const plain = name.slice(1).replaceAll('\\', '')
    if (plain === '') return []
    return [plain === '*' ? wildcard : field(plain)]
  }

  #bracket(): Step {
    const end = this.#text.indexOf(']', this.#at)
    if (end === -1) throw new Error('unterminated array')
    const inner = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    const steps = inner.split(',').map((part) => bracketStep(part.trim()))
    const [only] = steps
    if (steps.length === 1 && only !== undefined) return only
    return (values) => steps.flatMap((step) => step(values))
  }

  #filter(): Step {
    const end = this.#endOfFilter()
    const condition = this.#text.slice(this.#at + '[?('.length, end)
    this.#at = end + ')]'.length
    const parts = /^([^!<>=]+)([!<>=]+)(.+)$/s.exec(condition)
    const left = operand(parts?.[1] ?? condition)
    if (parts === null) return filter((item) => left(item).length > 0)
    const test = compare[parts[2] ?? '']
    const right = operand(parts[3] ?? '')
    if (test === undefined) throw new Error(`unrecognized filter operator ${parts[2]}`)
    return filter((item) => {
      const lefts = left(item)
      const rights = right(item)
      return lefts.length === 1 && rights.length === 1 && test(lefts[0], rights[0])
    })
  }

  /** The `)]` that is not inside quotes. */
  #endOfFilter(): number {
    let quote = ''
    for (let at = this.#at; at < this.#text.length; at += 1) {
      const character = this.#text[at] ?? ''
      if (quote !== '' && character === '\\') at += 1
      else if (quote !== '') quote = character === quote ? '' : quote
      else if (character === '"' || character === "'") quote = character
      else if (this.#text.startsWith(')]', at)) return at
    }
    throw new Error('unterminated filter')
  }
}

function bracketStep(text: string): Step {
  const key = /^(['"])(.*)\1$/s.exec(text)?.[2]
  if (key !== undefined) return field(key.replaceAll('\\', ''))
  if (text === '*') return slice({ start: undefined, end: undefined, step: 1 })
  if (/^-?\d+$/.test(text)) return element(Number(text))
  const parts = /^(-?\d*):(-?\d*)(?::(-?\d*))?$/.exec(text)
  if (parts === null) throw new Error(`invalid array index ${text}`)
  const [start, end, step] = parts
    .slice(1)
    .map((part) => (part === undefined || part === '' ? undefined : Number(part)))
  if (step !== undefined && !(step > 0)) throw new Error('step must be > 0')
  return slice({ start, end, step })
}

function operand(text: string): Operand {
  const trimmed = text.trim()
  const quoted = /^(['"])(.*)\1$/s.exec(trimmed)?.[2]
  if (quoted !== undefined) return constant(quoted.replaceAll(/\\(.)/gs, '$1'))
  if (trimmed === 'true' || trimmed === 'false') return constant(trimmed === 'true')
  if (/^[+-]?\d+(\.\d+)?$/.test(trimmed)) return constant(Number(trimmed))
  const path = compileJsonPath(trimmed)
  if (path === undefined) throw new Error(`cannot read ${trimmed}`)
  return path
}

const constant =
  (value: unknown): Operand =>
  () => [value]

/** The value at a plain dotted path; undefined when there is none. */
export function valueAt(fields: Fields, path: readonly string[]): unknown {
  let value: unknown = fields
  for (const name of path) {
    if (!isFields(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}
