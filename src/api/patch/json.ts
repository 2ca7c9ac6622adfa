// RFC 6902 patches, with the leniencies of the library that upstream uses (evanphx/json-patch v4).
// Each container on a changed path is copied once per patch; everything else is shared with the input.

import type { Json } from '../object.ts'
import { type ApiError, badRequest, entityTooLarge, unprocessable } from '../status.ts'
import { type Draft, depthMax, fieldOf, isDeeperThan, isList, isObject, isSame, setField } from '../value.ts'

export const operationsMax = 10_000
/** What `copy` may add up to, in characters of JSON. */
export const copiedCharactersMax = 3 * 1024 * 1024
/** List items that inserts and removals may move in one patch; a bound on time, not on size. */
const movedItemsMax = 20_000_000

interface Operation {
  readonly op: string
  readonly path: string
  readonly from: string | undefined
  /** `undefined` when the operation has none. */
  readonly value: Json | undefined
}

/** Containers that this patch has already copied, and may therefore write to. */
interface Work {
  root: Json
  readonly owned: Set<unknown>
  copied: number
  moved: number
}

/** Applies a patch; throws 400 when it is no patch, 413 when too long, 422 when it does not fit the object. */
export function applyJsonPatch<T extends object>(object: T, patch: Json): T {
  const operations = parsePatch(patch)
  const work: Work = { root: object as unknown as Json, owned: new Set(), copied: 0, moved: 0 }
  for (const operation of operations) applyOperation(work, operation)
  if (!isObject(work.root)) throw refused('the patched document is not an object')
  if (isDeeperThan(work.root, depthMax)) throw refused('the patched document is nested too deeply')
  return work.root as unknown as T
}

/** What strict field validation says about the patch itself: `json patch unknown field "[0].foo"`. */
export function jsonPatchWarnings(patch: Json): readonly string[] {
  if (!isList(patch)) return []
  return patch.flatMap((operation, index) =>
    isObject(operation)
      ? Object.keys(operation)
          .filter((field) => !['op', 'path', 'from', 'value'].includes(field))
          .map((field) => `json patch unknown field "[${index}].${field}"`)
      : [],
  )
}

function parsePatch(patch: Json): readonly Operation[] {
  if (!isList(patch)) throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (patch.length > operationsMax)
    throw entityTooLarge(
      `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${patch.length}`,
    )
  return patch.map((operation) => {
    if (!isObject(operation))
      throw badRequest('json: cannot unmarshal value into Go value of type jsonpatch.Operation')
    const { op, path, from } = operation
    if (typeof op !== 'string') throw refused('Unexpected kind: unknown')
    if (typeof path !== 'string')
      throw refused(`${op} operation failed to decode path: operation missing path field: missing value`)
    return {
      op,
      path,
      from: typeof from === 'string' ? from : undefined,
      value: fieldOf(operation, 'value'),
    }
  })
}

function applyOperation(work: Work, { op, path, from, value }: Operation): void {
  if (op === 'add') add(work, path, value ?? null, 'add operation does not apply: doc is missing path')
  else if (op === 'remove') remove(work, path, 'remove')
  else if (op === 'replace') replace(work, path, value ?? null)
  else if (op === 'move') move(work, path, fromOf(op, from))
  else if (op === 'copy') copy(work, path, fromOf(op, from))
  else if (op === 'test') test(work, path, value)
  else throw refused(`Unexpected kind: ${op}`)
}

function move(work: Work, path: string, from: string): void {
  const value = read(work, from, 'move operation does not apply: doc is missing from path')
  remove(work, from, 'move')
  add(work, path, value, 'move operation does not apply: doc is missing destination path')
}

function copy(work: Work, path: string, from: string): void {
  const value = read(work, from, 'copy operation does not apply: doc is missing from path')
  add(work, path, copyOf(work, value), 'copy operation does not apply: doc is missing destination path')
}

function fromOf(op: string, from: string | undefined): string {
  if (from === undefined)
    throw refused(`${op} operation failed to decode from: operation, missing from field: missing value`)
  return from
}

function add(work: Work, path: string, value: Json, missing: string): void {
  const found = openParent(work, path)
  if (found === undefined) throw refused(`${missing}: ${JSON.stringify(path)}: missing value`)
  const { parent, key } = found
  if (!isList(parent)) {
    setField(parent, key, value)
    return
  }
  const index = key === '-' ? parent.length : indexOf(key, parent.length + 1)
  if (index === undefined)
    throw refused(`error in add for path: '${path}': Unable to access invalid index: ${key}`)
  countMoves(work, parent.length - index)
  parent.splice(index, 0, value)
}

function remove(work: Work, path: string, op: string): void {
  const found = openParent(work, path)
  if (found === undefined)
    throw refused(
      `${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`,
    )
  const { parent, key } = found
  if (isList(parent)) {
    const index = indexOf(key, parent.length)
    if (index === undefined)
      throw refused(`error in ${op} for path: '${path}': Unable to access invalid index: ${key}`)
    countMoves(work, parent.length - index)
    parent.splice(index, 1)
    return
  }
  if (!Object.hasOwn(parent, key))
    throw refused(
      `error in ${op} for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    )
  delete parent[key]
}

function replace(work: Work, path: string, value: Json): void {
  if (path === '') {
    if (!isObject(value) && !isList(value)) throw refused('replace operation value must be object or array')
    work.root = value
    return
  }
  const found = openParent(work, path)
  if (found === undefined)
    throw refused(`replace operation does not apply: doc is missing path: ${path}: missing value`)
  const { parent, key } = found
  // A missing field of an object is simply set: upstream's library looks only at indices.
  if (!isList(parent)) {
    setField(parent, key, value)
    return
  }
  const index = indexOf(key, parent.length)
  if (index === undefined)
    throw refused(`replace operation does not apply: doc is missing key: ${path}: missing value`)
  parent[index] = value
}

function test(work: Work, path: string, value: Json | undefined): void {
  const found = path === '' ? work.root : read(work, path, 'test operation does not apply: is missing path')
  if (!isSame(found, value ?? null)) throw refused(`testing value ${path} failed: test failed`)
}

/** What stands at a path; a missing field of an object reads as null, a missing parent is refused. */
function read(work: Work, path: string, missing: string): Json {
  const keys = keysOf(path)
  const key = keys.pop()
  if (key === undefined) throw refused(`${missing}: ${path}: missing value`)
  let parent: Json | undefined = work.root
  for (const step of keys) parent = stepInto(parent, step)
  if (isObject(parent)) return fieldOf(parent, key) ?? null
  if (!isList(parent)) throw refused(`${missing}: ${path}: missing value`)
  const index = indexOf(key, parent.length)
  if (index === undefined) throw refused(`error for path: '${path}': Unable to access invalid index: ${key}`)
  return parent[index] ?? null
}

function stepInto(parent: Json | undefined, key: string): Json | undefined {
  if (isObject(parent)) return fieldOf(parent, key)
  if (!isList(parent)) return undefined
  const index = indexOf(key, parent.length)
  return index === undefined ? undefined : parent[index]
}

/** The container that holds a path's last key, ready to be written to, or undefined when there is none. */
function openParent(
  work: Work,
  path: string,
): { readonly parent: Draft | Json[]; readonly key: string } | undefined {
  const keys = keysOf(path)
  const key = keys.pop()
  if (key === undefined) return undefined
  let at = own(work, work.root)
  if (at === undefined) return undefined
  work.root = at
  for (const step of keys) {
    const next = own(work, stepInto(at, step))
    if (next === undefined) return undefined
    if (isList(at)) at[indexOf(step, at.length) ?? 0] = next
    else setField(at, step, next)
    at = next
  }
  return { parent: at, key }
}

function own(work: Work, value: Json | undefined): Draft | Json[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (work.owned.has(value)) return value as Draft | Json[]
  const copy = isList(value) ? [...value] : { ...value }
  work.owned.add(copy)
  return copy
}

/** A real copy, so that no owned container stands in two places. */
function copyOf(work: Work, value: Json): Json {
  const text = JSON.stringify(value)
  work.copied += text.length
  if (work.copied > copiedCharactersMax)
    throw refused(
      `Unable to complete the copy, the accumulated size increase of copy is ${work.copied}, exceeding the limit ${copiedCharactersMax}`,
    )
  return JSON.parse(text) as Json
}

function countMoves(work: Work, items: number): void {
  work.moved += items
  if (work.moved > movedItemsMax) throw refused('the patch moves too many list items')
}

/** The text before the first slash is ignored, as upstream's library does. */
function keysOf(path: string): string[] {
  const keys = path.split('/').slice(1)
  if (keys.length > depthMax) throw refused('the path is too long')
  return keys.map((key) => (key.includes('~') ? key.replaceAll('~1', '/').replaceAll('~0', '~') : key))
}

/** A list index as Go's Atoi reads it; negative ones count from the end. */
function indexOf(key: string, length: number): number | undefined {
  if (!/^[+-]?[0-9]{1,15}$/.test(key)) return undefined
  const index = Number(key)
  if (index >= length || index < -length) return undefined
  return index < 0 ? index + length : index
}

const refused = (detail: string): ApiError =>
  unprocessable(`the server rejected our request due to an error in our request: ${detail}`)
