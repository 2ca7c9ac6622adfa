// What differs between two versions of an object, as sets of fields.
// Upstream: structured-merge-diff's typed/compare.go and typed/tofieldset.go.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { fieldOf, isList, isObject, isSame, type JsonObject } from '../value.ts'
import { type FieldPath, type FieldSet, FieldSetBuilder, fieldElement } from './fields.ts'
import { fieldSchema, isAtomic, itemElement, type Shape, shapesFor } from './shape.ts'

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

interface Findings {
  readonly added: FieldSetBuilder
  readonly modified: FieldSetBuilder
  readonly removed: FieldSetBuilder
}

/** A place in both objects; an absent value is undefined, and not both are. */
interface Pair {
  readonly left: Json | undefined
  readonly right: Json | undefined
  readonly schema: Schema | undefined
  readonly path: FieldPath
}

export function compareObjects(left: JsonObject, right: JsonObject, schema: Schema | undefined): Comparison {
  const findings: Findings = {
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  }
  comparePair(findings, { left, right, schema, path: [] })
  return {
    added: findings.added.fields,
    modified: findings.modified.fields,
    removed: findings.removed.fields,
  }
}

function comparePair(findings: Findings, pair: Pair): void {
  const { left, right, schema, path } = pair
  // Frozen objects share what did not change.
  if (left === right) return
  const leftShapes = shapesFor(schema, left)
  const rightShapes = shapesFor(schema, right)
  let isLeaf = false
  if (right === undefined) {
    isLeaf = compareAs(findings, pair, leftShapes[0])
  } else {
    if (left !== undefined && (leftShapes.length !== rightShapes.length || leftShapes[0] !== rightShapes[0]))
      compareAs(findings, pair, leftShapes[0])
    isLeaf = compareAs(findings, pair, rightShapes[0])
  }
  if (isLeaf) return
  if (left === undefined) findings.added.add(path)
  else if (right === undefined) findings.removed.add(path)
}

/** Answers whether the two were compared as one field. */
function compareAs(findings: Findings, pair: Pair, shape: Shape | undefined): boolean {
  const { left, right, schema } = pair
  if (shape === 'map') {
    const [leftMap, rightMap] = [isObject(left) ? left : {}, isObject(right) ? right : {}]
    const isEmpty = Object.keys(leftMap).length === 0 && Object.keys(rightMap).length === 0
    if (isAtomic(schema, 'map') || isEmpty) return compareLeaf(findings, pair)
    compareMaps(findings, pair, leftMap, rightMap)
    return false
  }
  if (shape === 'list') {
    const [leftList, rightList] = [isList(left) ? left : [], isList(right) ? right : []]
    const isEmpty = leftList.length === 0 && rightList.length === 0
    if (isAtomic(schema, 'list') || isEmpty) return compareLeaf(findings, pair)
    compareLists(findings, pair, leftList, rightList)
    return false
  }
  return compareLeaf(findings, pair)
}

function compareLeaf(findings: Findings, { left, right, path }: Pair): true {
  if (left === undefined) findings.added.add(path)
  else if (right === undefined) findings.removed.add(path)
  else if (!isSame(left, right)) findings.modified.add(path)
  return true
}

function compareMaps(findings: Findings, { schema, path }: Pair, left: JsonObject, right: JsonObject): void {
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  for (const name of names) {
    comparePair(findings, {
      left: fieldOf(left, name),
      right: fieldOf(right, name),
      schema: fieldSchema(schema, name),
      path: [...path, fieldElement(name)],
    })
  }
}

function compareLists(
  findings: Findings,
  { schema, path }: Pair,
  left: readonly Json[],
  right: readonly Json[],
): void {
  const leftItems = groupItems(schema, left)
  const rightItems = groupItems(schema, right)
  for (const element of new Set([...leftItems.keys(), ...rightItems.keys()])) {
    const before = leftItems.get(element) ?? []
    const after = rightItems.get(element) ?? []
    const itemPath = [...path, element]
    const compareItem = (one: Json | undefined, other: Json | undefined) => {
      if (one !== undefined || other !== undefined)
        comparePair(findings, { left: one, right: other, schema: schema?.items, path: itemPath })
    }
    if (before.length <= 1 && after.length <= 1) {
      compareItem(before[0], after[0])
    } else if (before.length >= 2 && after.length >= 2) {
      // Duplicates are compared as one field.
      if (!isSame(before, after)) findings.modified.add(itemPath)
    } else if (before.length >= 2) {
      compareItem(undefined, after[0])
      findings.removed.add(itemPath)
    } else {
      compareItem(before[0], undefined)
      findings.added.add(itemPath)
    }
  }
}

/** Items that nothing identifies are left out: they are nobody's. */
function groupItems(
  schema: Schema | undefined,
  items: readonly Json[],
): ReadonlyMap<string, readonly Json[]> {
  const groups = new Map<string, Json[]>()
  for (const item of items) {
    const found = itemElement(schema, item)
    if ('problem' in found) continue
    const group = groups.get(found.element)
    if (group === undefined) groups.set(found.element, [item])
    else group.push(item)
  }
  return groups
}

/** All fields that an object mentions. */
export function fieldsIn(object: JsonObject, schema: Schema | undefined): FieldSet {
  const builder = new FieldSetBuilder()
  collectFields(builder, object, schema, [])
  return builder.fields
}

function collectFields(
  builder: FieldSetBuilder,
  value: Json,
  schema: Schema | undefined,
  path: FieldPath,
): void {
  const shape = shapesFor(schema, value)[0]
  if (shape === 'scalar' || (shape !== undefined && isAtomic(schema, shape))) {
    builder.add(path)
    return
  }
  if (isObject(value)) collectMap(builder, value, schema, path)
  else if (isList(value)) collectList(builder, value, schema, path)
}

function collectMap(
  builder: FieldSetBuilder,
  map: JsonObject,
  schema: Schema | undefined,
  path: FieldPath,
): void {
  for (const [name, value] of Object.entries(map)) {
    const inner = [...path, fieldElement(name)]
    collectFields(builder, value, fieldSchema(schema, name), inner)
    const isEmpty = value === null || (isObject(value) && Object.keys(value).length === 0)
    // Keys of maps are owned themselves; fields of structs are only when they hold nothing else.
    const isNamed = schema?.properties?.has(name) === true
    if (isEmpty || !isNamed) builder.add(inner)
  }
}

function collectList(
  builder: FieldSetBuilder,
  list: readonly Json[],
  schema: Schema | undefined,
  path: FieldPath,
): void {
  for (const [element, items] of groupItems(schema, list)) {
    const inner = [...path, element]
    const [only] = items
    if (items.length === 1 && only !== undefined) collectFields(builder, only, schema?.items, inner)
    builder.add(inner)
  }
}
