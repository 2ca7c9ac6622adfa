// Documents to objects: what is empty is dropped, lists are flattened, and what is no object is refused by its place.
// Whether an API server takes an object is the proof's to find out.

import type { KubeObject } from '../../api/object.ts'
import { PackageError, type Problem } from '../failure.ts'

export interface Origin {
  readonly file: string
  /** Counted from 1. */
  readonly document: number
}

export interface RenderedObject {
  readonly object: KubeObject
  readonly origin: Origin
}

export interface Documents {
  readonly file: string
  readonly documents: readonly unknown[]
}

export function objectsOf({ file, documents }: Documents): RenderedObject[] {
  const problems: Problem[] = []
  const objects = documents.flatMap((document, index) => {
    if (document === undefined || document === null) return []
    const origin = { file, document: index + 1 }
    const refuse = (message: string): [] => {
      problems.push({ file, message, ...(documents.length > 1 ? { document: origin.document } : {}) })
      return []
    }
    return flatten(document, refuse).map((object) => ({ object, origin }))
  })
  if (problems.length > 0) throw new PackageError(problems)
  return objects
}

type Fields = Readonly<Record<string, unknown>>

function flatten(document: unknown, refuse: (message: string) => []): KubeObject[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return refuse('not an object; a document is a mapping with apiVersion, kind and metadata')
  }
  const { apiVersion, kind, metadata, items } = document as Fields
  if (typeof apiVersion !== 'string' || apiVersion === '') return refuse('apiVersion: required')
  if (typeof kind !== 'string' || kind === '') return refuse('kind: required')
  if (
    Array.isArray(items) &&
    kind.endsWith('List') &&
    (metadata as Fields | undefined)?.['name'] === undefined
  ) {
    return items.flatMap((item) => flatten(item, refuse))
  }
  const { name, generateName, namespace } = (metadata ?? {}) as Fields
  if (generateName !== undefined)
    return refuse(`${kind}: metadata.generateName: a package names its objects; use metadata.name`)
  if (typeof name !== 'string' || name === '') return refuse(`${kind}: metadata.name: required`)
  if (namespace !== undefined && typeof namespace !== 'string')
    return refuse(`${kind} ${name}: metadata.namespace: must be text`)
  return [document as KubeObject]
}

/** The same object twice is a mistake that apply would hide. */
export function refuseDuplicates(objects: readonly RenderedObject[]): void {
  const seen = new Map<string, Origin>()
  const problems: Problem[] = []
  for (const { object, origin } of objects) {
    const { name, namespace = '' } = object.metadata
    const group = object.apiVersion?.includes('/') ? object.apiVersion.split('/')[0] : ''
    const key = [group, object.kind, namespace, name].join(' ')
    const first = seen.get(key)
    if (first === undefined) seen.set(key, origin)
    else
      problems.push({
        ...origin,
        message: `${object.kind} ${JSON.stringify(name)} is already in ${first.file}, document ${first.document}`,
      })
  }
  if (problems.length > 0) throw new PackageError(problems)
}
