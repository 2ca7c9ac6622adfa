// Namespaces. A namespace ends when its spec.finalizers are empty; the namespace controller empties what it holds first.
// Which objects live in it is nobody's knowledge here.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid } from '../../api/status.ts'
import { qualifiedName } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind, mergeFields } from '../define.ts'
import { at, fieldsOf, isPresent, textOf, textsOf } from '../fields.ts'
import { fill, pipe, set } from '../fill.ts'
import type { Kind } from '../kind.ts'

const nameLabel = 'kubernetes.io/metadata.name'
const kubernetesFinalizer = 'kubernetes'
const standardFinalizers = [kubernetesFinalizer, 'orphan', 'foregroundDeletion']

export const namespace: Kind = defineKind({
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  isNamespaced: false,
  // Upstream lists no deletecollection for namespaces.
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  nameRule: 'dns-label',
  columns: [nameColumn, text('Status'), ageColumn],
  cells: (object, now) => [nameOf(object), textOf(at(object, 'status', 'phase')), ageOf(object, now)],
  selectableFields: {
    'status.phase': (object) => textOf(at(object, 'status', 'phase')),
    // Upstream keeps this one for old clients.
    name: nameOf,
  },
  defaults: (object) =>
    pipe(
      object,
      labelWithName,
      (labelled) => fill(labelled, { spec: {} }),
      (filled) => set(filled, 'status', fill(fieldsOf(filled['status']), { phase: 'Active' })),
    ),
  status: { initial: { phase: 'Active' }, validate: checkStatus },
  // Defaults run before a generated name is known, so the label is set here too.
  prepareCreate: (object) => labelWithName(set(object, 'spec', withKubernetesFinalizer(object))),
  prepareUpdate: (object, old) => set(object, 'spec', old['spec'] ?? {}),
  isHeld: (object) => textsOf(at(object, 'spec', 'finalizers')).length > 0,
  prepareDelete: (object) => set(object, 'status', { ...fieldsOf(object['status']), phase: 'Terminating' }),
  validate: (object) => checkFinalizers(object, () => 'spec.finalizers'),
  subresources: [
    {
      name: 'finalize',
      verbs: ['update'],
      merge: (submitted, old) => mergeFields(submitted, old, ['spec']),
      validate: (object) => checkFinalizers(object, (index) => `spec.finalizers[${index}]`),
    },
  ],
})

function labelWithName(object: KubeObject): KubeObject {
  const { name = '', labels } = object.metadata
  if (name === '' || labels?.[nameLabel] === name) return object
  return { ...object, metadata: { ...object.metadata, labels: { ...labels, [nameLabel]: name } } }
}

function withKubernetesFinalizer(object: KubeObject): Readonly<Record<string, unknown>> {
  const spec = fieldsOf(object['spec'])
  const finalizers = textsOf(spec['finalizers'])
  if (finalizers.includes(kubernetesFinalizer)) return spec
  return { ...spec, finalizers: [...finalizers, kubernetesFinalizer] }
}

function checkFinalizers(object: KubeObject, path: (index: number) => string): readonly FieldError[] {
  return textsOf(at(object, 'spec', 'finalizers')).flatMap((finalizer, index) => {
    const errors = qualifiedName(finalizer).map((problem) => fieldInvalid(path(index), finalizer, problem))
    if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) return errors
    const detail = 'name is neither a standard finalizer name nor is it fully qualified'
    return [...errors, fieldInvalid(path(index), finalizer, detail)]
  })
}

function checkStatus(object: KubeObject): readonly FieldError[] {
  const phase = textOf(at(object, 'status', 'phase'))
  const isDeleting = isPresent(object.metadata.deletionTimestamp)
  const expected = isDeleting ? 'Terminating' : 'Active'
  if (phase === expected) return []
  const detail = `may only be '${expected}' if \`deletionTimestamp\` is ${isDeleting ? 'not ' : ''}empty`
  return [fieldInvalid('status.Phase', phase, detail)]
}
