// Pod templates as objects of their own; no controller uses them.

import { labelsCell, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, fieldsOf } from '../fields.ts'
import { set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { validatePodTemplate } from '../pods/spec-validate.ts'
import { containerCells } from '../pods/template-cells.ts'

export const podTemplate: Kind = defineKind({
  kind: 'PodTemplate',
  plural: 'podtemplates',
  tracksGeneration: true,
  columns: [nameColumn, text('Containers'), text('Images'), text('Pod Labels')],
  cells: (object) => [
    nameOf(object),
    ...containerCells(at(object, 'template', 'spec')),
    labelsCell(at(object, 'template', 'metadata', 'labels')),
  ],
  defaults: (object) => set(object, 'template', defaultPodTemplate(fieldsOf(object['template']))),
  validate: (object) => validatePodTemplate(fieldsOf(object['template']), 'template'),
})
