// Reads a rule's `fieldPath`: `.spec.replicas`, `.metadata.labels['a/b']`.
// Upstream: ValidFieldPath in apiextensions-apiserver/pkg/apiserver/schema/cel.

import type { Schema } from '../../api/schema.ts'

const step = /\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]/y

/** As field errors write it, without a leading dot; undefined for a path that leads nowhere. */
export function fieldPathOf(text: string, schema: Schema): string | undefined {
  let node: Schema | undefined = schema
  let path = ''
  let offset = 0
  while (offset < text.length) {
    step.lastIndex = offset
    const [whole, name, quoted] = step.exec(text) ?? []
    if (whole === undefined || node === undefined) return undefined
    const key: string = name ?? (quoted ?? '').replace(/\\(.)/g, '$1')
    if (node.properties !== undefined) {
      path += path === '' ? key : `.${key}`
      node = node.properties.get(key)
    } else {
      path += `[${key}]`
      node = node.additionalProperties
    }
    if (node === undefined) return undefined
    offset += whole.length
  }
  return path
}
