// Schemas of our own kinds, in the same form as everyone's; metadata is upstream's.

import type { Schema } from '../../api/schema.ts'
import { schemaOf } from '../facts/schema.ts'

export const text: Schema = { type: 'string' }
export const integer: Schema = { type: 'integer', format: 'int64' }
export const flag: Schema = { type: 'boolean' }
export const free: Schema = { type: 'object', preserveUnknownFields: true }
export const listOf = (items: Schema): Schema => ({ type: 'array', items, listType: 'atomic' })
export const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values })
export const fields = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
})

/** A whole object: apiVersion, kind and metadata, and what else it has. */
export function objectSchema(name: string, properties: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    name,
    get properties() {
      return new Map<string, Schema>([
        ['apiVersion', text],
        ['kind', text],
        ['metadata', schemaOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')],
        ...Object.entries(properties),
      ])
    },
  }
}
