// The schema of ObjectMeta as server-side apply needs it, for kinds whose schema says nothing about metadata.
// The whole of it is in kinds/facts, which stands above this room.

import type { Schema } from '../schema.ts'

const text: Schema = { type: 'string' }
const time: Schema = { type: 'string', format: 'time' }
const count: Schema = { type: 'integer', format: 'int64' }
const flag: Schema = { type: 'boolean' }
const texts: Schema = { type: 'object', additionalProperties: text }

const struct = (properties: Readonly<Record<string, Schema>>, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
  ...more,
})

export const metaSchema: Schema = struct({
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: count,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: count,
  labels: texts,
  annotations: texts,
  ownerReferences: {
    type: 'array',
    listType: 'map',
    listMapKeys: ['uid'],
    items: struct(
      { apiVersion: text, kind: text, name: text, uid: text, controller: flag, blockOwnerDeletion: flag },
      { mapType: 'atomic' },
    ),
  },
  finalizers: { type: 'array', listType: 'set', items: text },
  managedFields: { type: 'array', listType: 'atomic', items: { type: 'any' } },
})
