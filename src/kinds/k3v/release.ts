// Releases: what package runs in this plane, at which version, and why it is not ready.
// The plane writes them from what was deployed; changing one changes nothing, so nobody but the plane should.

import { ageColumn, ageOf, nameColumn, nameOf, text as textColumn } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { fields, integer, listOf, objectSchema, text } from './schema.ts'

const condition = fields({
  type: text,
  status: text,
  observedGeneration: integer,
  lastTransitionTime: text,
  reason: text,
  message: text,
})

export const release: Kind = defineKind({
  group: 'k3v.dev',
  kind: 'Release',
  plural: 'releases',
  isNamespaced: false,
  tracksGeneration: true,
  schema: objectSchema('dev.k3v.v1.Release', {
    spec: fields({ package: text, version: text, digest: text, generation: integer }),
    status: fields({
      phase: text,
      reason: text,
      message: text,
      observedGeneration: integer,
      objects: fields({ total: integer, ready: integer }),
      notReady: listOf(text),
      conditions: { type: 'array', items: condition, listType: 'map', listMapKeys: ['type'] },
    }),
  }),
  status: {},
  columns: [nameColumn, textColumn('Version'), textColumn('Phase'), textColumn('Message'), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    textOf(at(object, 'spec', 'version')),
    textOf(at(object, 'status', 'phase')),
    textOf(at(object, 'status', 'message')),
    ageOf(object, now),
  ],
})
