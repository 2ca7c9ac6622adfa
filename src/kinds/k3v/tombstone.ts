// Tombstones: what was removed here and may still have a copy on the host. The server writes them with the removal,
// sync deletes each when the copy is gone. Nobody creates or changes one.

import { ageColumn, ageOf, nameColumn, nameOf, text as textColumn } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { fields, integer, objectSchema, text } from './schema.ts'

export const tombstone: Kind = defineKind({
  group: 'k3v.dev',
  kind: 'Tombstone',
  plural: 'tombstones',
  isNamespaced: false,
  verbs: ['delete', 'get', 'list', 'watch'],
  schema: objectSchema('dev.k3v.v1.Tombstone', {
    spec: fields({
      group: text,
      resource: text,
      kind: text,
      namespace: text,
      name: text,
      uid: text,
      revision: integer,
    }),
  }),
  columns: [nameColumn, textColumn('Resource'), textColumn('Namespace'), textColumn('Object'), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    textOf(at(object, 'spec', 'resource')),
    textOf(at(object, 'spec', 'namespace')),
    textOf(at(object, 'spec', 'name')),
    ageOf(object, now),
  ],
})
