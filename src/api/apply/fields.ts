// Sets of fields, as managedFields names them: set algebra, and to and from FieldsV1.
// Elements stay in their wire form (`f:name`, `k:{…}`, `v:…`, `i:…`), which makes them keys of a Map.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { type Draft, isObject, type JsonObject, setField } from '../value.ts'

/** `members` are in the set; `children` hold what is in it below an element, which need not be a member itself. */
export interface FieldSet {
  readonly members: ReadonlySet<string>
  readonly children: ReadonlyMap<string, FieldSet>
}

export type FieldPath = readonly string[]

export const emptyFields: FieldSet = { members: new Set(), children: new Map() }

export const fieldElement = (name: string): string => `f:${name}`
export const valueElement = (value: Json): string => `v:${JSON.stringify(value)}`

/** The fields of a list key, sorted by name. */
export function keyElement(key: JsonObject): string {
  const sorted: Draft = {}
  for (const name of Object.keys(key).sort()) setField(sorted, name, key[name] ?? null)
  return `k:${JSON.stringify(sorted)}`
}

/** Collects paths; `fields` is the set so far and must not be kept while more is added. */
export class FieldSetBuilder {
  readonly #root = mutableSet()

  add(path: FieldPath): void {
    const last = path.at(-1)
    // Nobody owns the whole object.
    if (last === undefined) return
    let at = this.#root
    for (const element of path.slice(0, -1)) {
      let next = at.children.get(element)
      if (next === undefined) {
        next = mutableSet()
        at.children.set(element, next)
      }
      at = next
    }
    at.members.add(last)
  }

  get fields(): FieldSet {
    return this.#root
  }
}

interface MutableSet extends FieldSet {
  readonly members: Set<string>
  readonly children: Map<string, MutableSet>
}

const mutableSet = (): MutableSet => ({ members: new Set(), children: new Map() })

export function fieldsOf(paths: readonly FieldPath[]): FieldSet {
  const builder = new FieldSetBuilder()
  for (const path of paths) builder.add(path)
  return builder.fields
}

export function isEmptyFields(set: FieldSet): boolean {
  if (set.members.size > 0) return false
  for (const child of set.children.values()) if (!isEmptyFields(child)) return false
  return true
}

export function hasField(set: FieldSet, path: FieldPath): boolean {
  let at: FieldSet | undefined = set
  for (const element of path.slice(0, -1)) at = at?.children.get(element)
  const last = path.at(-1)
  return last !== undefined && at?.members.has(last) === true
}

/** What is below one element, without it. */
export const fieldsBelow = (set: FieldSet, element: string): FieldSet =>
  set.children.get(element) ?? emptyFields

export function unionFields(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmptyFields(right)) return left
  if (isEmptyFields(left)) return right
  const children = new Map(left.children)
  for (const [element, child] of right.children) {
    const known = children.get(element)
    children.set(element, known === undefined ? child : unionFields(known, child))
  }
  return { members: left.members.union(right.members), children }
}

export function intersectFields(left: FieldSet, right: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [element, child] of left.children) {
    const other = right.children.get(element)
    if (other === undefined) continue
    const both = intersectFields(child, other)
    if (!isEmptyFields(both)) children.set(element, both)
  }
  return { members: left.members.intersection(right.members), children }
}

/** What is in `left` only; a parent and its children are independent of each other. */
export function subtractFields(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptyFields(right)) return left
  const children = new Map<string, FieldSet>()
  for (const [element, child] of left.children) {
    const other = right.children.get(element)
    const rest = other === undefined ? child : subtractFields(child, other)
    if (other === undefined || !isEmptyFields(rest)) children.set(element, rest)
  }
  return { members: left.members.difference(right.members), children }
}

/** As subtractFields, but a member of `right` takes all below it along. */
export function subtractTrees(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptyFields(right)) return left
  const children = new Map<string, FieldSet>()
  for (const [element, child] of left.children) {
    if (right.members.has(element)) continue
    const other = right.children.get(element)
    const rest = other === undefined ? child : subtractTrees(child, other)
    if (other === undefined || !isEmptyFields(rest)) children.set(element, rest)
  }
  return { members: left.members.difference(right.members), children }
}

/** Members first, then what is below each child: the order in which conflicts are listed. */
export function pathsOf(set: FieldSet, prefix: FieldPath = []): readonly FieldPath[] {
  return [
    ...[...set.members].sort().map((element) => [...prefix, element]),
    ...[...set.children.keys()].sort().flatMap((element) => {
      const child = set.children.get(element)
      return child === undefined ? [] : pathsOf(child, [...prefix, element])
    }),
  ]
}

/** Adds the struct fields on the way to each member; keys of maps are not added. */
export function withNamedFields(set: FieldSet, schema: Schema | undefined): FieldSet {
  const named = schema?.type === 'object' ? schema.properties : undefined
  const members = new Set(set.members)
  const children = new Map<string, FieldSet>()
  for (const [element, child] of set.children) {
    const name = element.startsWith('f:') ? element.slice(2) : undefined
    const property = name === undefined ? undefined : named?.get(name)
    if (property !== undefined) members.add(element)
    const below = name === undefined ? schema?.items : (property ?? schema?.additionalProperties)
    children.set(element, withNamedFields(child, below))
  }
  return { members, children }
}

/** Reads `fieldsV1`; elements of an unknown sort are dropped, as upstream does. */
export function fromFieldsV1(value: unknown): FieldSet {
  return readFields(value)?.fields ?? emptyFields
}

function readFields(value: unknown): { readonly fields: FieldSet | undefined; readonly isMember: boolean } {
  if (!isObject(value)) return { fields: undefined, isMember: true }
  const members = new Set<string>()
  const children = new Map<string, FieldSet>()
  let isMember = false
  for (const [key, inner] of Object.entries(value)) {
    if (key === '.') {
      isMember = true
      continue
    }
    const element = canonicalElement(key)
    if (element === undefined) continue
    const child = readFields(inner)
    if (child.isMember) members.add(element)
    if (child.fields !== undefined) children.set(element, child.fields)
  }
  if (members.size === 0 && children.size === 0) return { fields: undefined, isMember: true }
  return { fields: { members, children }, isMember }
}

/** The same few list keys come with every write of a kind. */
const knownElements = new Map<string, string | undefined>()
const knownElementsMax = 10_000

function canonicalElement(key: string): string | undefined {
  const sort = key.slice(0, 2)
  if (sort === 'f:' || sort === 'i:') return key
  if (sort !== 'k:' && sort !== 'v:') return undefined
  if (knownElements.has(key)) return knownElements.get(key)
  const element = readElement(key, sort)
  if (knownElements.size >= knownElementsMax) knownElements.clear()
  knownElements.set(key, element)
  return element
}

function readElement(key: string, sort: string): string | undefined {
  try {
    const value = JSON.parse(key.slice(2)) as Json
    if (sort === 'v:') return valueElement(value)
    return isObject(value) ? keyElement(value) : undefined
  } catch {
    return undefined
  }
}

/** Writes `fieldsV1`, sorted, so that equal sets are equal text. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const draft: Draft = {}
  const elements = set.members.union(new Set(set.children.keys()))
  for (const element of [...elements].sort()) {
    const child = set.children.get(element)
    const below = child === undefined || isEmptyFields(child) ? {} : toFieldsV1(child)
    const isBoth = Object.keys(below).length > 0 && set.members.has(element)
    if (set.members.has(element) || Object.keys(below).length > 0)
      setField(draft, element, isBoth ? { '.': {}, ...below } : below)
  }
  return draft
}

/** A path as messages show it: `.spec.containers[name="web"].image`. */
export const pathText = (path: FieldPath): string => path.map(elementText).join('')

export function elementText(element: string): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  if (element.startsWith('i:')) return `[${rest}]`
  if (element.startsWith('v:')) return `[=${rest}]`
  const key = JSON.parse(rest) as JsonObject
  return `[${Object.entries(key)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}]`
}
