// The annotation of kubectl's client-side apply: lets an object move to server-side apply without conflicts.
// Upstream: apimachinery/pkg/util/managedfields/internal/lastapplied*.go.

import type { Json } from '../object.ts'
import { annotationBytesMax } from '../validate/labels.ts'
import { fieldOf, isList, isObject, type JsonObject, withField } from '../value.ts'
import { typeProblems } from './check.ts'
import { compareObjects, fieldsIn } from './compare.ts'
import { type FieldSet, subtractFields } from './fields.ts'
import type { Setting } from './ownership.ts'

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The fields that client-side apply set and nobody changed since; undefined when it never ran, or in another version. */
export function fieldsOfLastApplied(live: JsonObject, setting: Setting): FieldSet | undefined {
  const text = lastAppliedIn(live)
  const last = text === undefined ? undefined : parse(text)
  if (!isObject(last) || last['apiVersion'] !== setting.apiVersion) return undefined
  if (typeProblems(last, setting.schema).length > 0) return undefined
  const { added, modified, removed } = compareObjects(last, live, setting.schema)
  const fields = fieldsIn(last, setting.schema)
  return subtractFields(subtractFields(subtractFields(fields, modified), added), removed)
}

/** Keeps the annotation, where there is one, in step with what was applied; too long a one goes. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  if (lastAppliedIn(object) === undefined) return object
  const metadata = object['metadata']
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined
  if (!isObject(metadata) || !isObject(annotations)) return object
  const next = withField(annotations, lastAppliedAnnotation, `${sortedText(withoutLastApplied(config))}\n`)
  const bytes = Object.entries(next).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  )
  const kept = bytes > annotationBytesMax ? withField(annotations, lastAppliedAnnotation, undefined) : next
  return withField(object, 'metadata', withField(metadata, 'annotations', kept))
}

function lastAppliedIn(object: JsonObject): string | undefined {
  const metadata = object['metadata']
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined
  const text = isObject(annotations) ? fieldOf(annotations, lastAppliedAnnotation) : undefined
  return typeof text === 'string' && text !== '' ? text : undefined
}

function withoutLastApplied(config: JsonObject): JsonObject {
  if (lastAppliedIn(config) === undefined) return config
  const metadata = config['metadata']
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined
  if (!isObject(metadata) || !isObject(annotations)) return config
  const kept = withField(annotations, lastAppliedAnnotation, undefined)
  return withField(config, 'metadata', withField(metadata, 'annotations', kept))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Fields sorted by name, as Go writes maps. */
function sortedText(value: Json): string {
  if (isList(value)) return `[${value.map(sortedText).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const fields = Object.keys(value).sort()
  return `{${fields.map((field) => `${JSON.stringify(field)}:${sortedText(value[field] ?? null)}`).join(',')}}`
}
