// The rules for metadata that hold for every kind, on create and on update.
// Upstream: apimachinery/pkg/api/validation/objectmeta.go; which name rule a kind has is its own answer.

import { isDeepStrictEqual } from 'node:util'
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../object.ts'
import { parseApiVersion } from '../object.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from '../status.ts'
import { checkText, validateAnnotations, validateLabels } from './labels.ts'
import {
  asPrefix,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  pathSegment,
  pathSegmentPrefix,
  qualifiedName,
  type TextRule,
} from './names.ts'

const nameRules = {
  'dns-subdomain': dnsSubdomain,
  'dns-label': dnsLabel,
  'dns-1035-label': dns1035Label,
  'path-segment': pathSegment,
} as const satisfies Record<string, TextRule>

/** The names of the rules; kinds/kind.ts lists the same. */
export type NameRuleName = keyof typeof nameRules

export const fieldManagerBytesMax = 128
const subresourceBytesMax = 256

/** What is wrong with the metadata of a new object, or of one about to be stored whole. */
export function validateMeta(
  object: { readonly metadata: ObjectMeta },
  {
    isNamespaced,
    nameRule,
    isCustom = false,
  }: {
    readonly isNamespaced: boolean
    readonly nameRule: NameRuleName
    readonly isCustom?: boolean
  },
): readonly FieldError[] {
  const { metadata } = object
  return [
    ...validateNames(metadata, nameRule),
    ...validateNamespace(metadata.namespace ?? '', isNamespaced),
    ...((metadata.generation ?? 0) < 0
      ? [fieldInvalid('metadata.generation', metadata.generation, 'must be greater than or equal to 0')]
      : []),
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...validateOwnerReferences(metadata.ownerReferences ?? []),
    ...validateFinalizers(metadata.finalizers ?? [], isCustom),
    ...validateManagedFields(metadata.managedFields ?? []),
  ]
}

/** What an update may not change, and what it may not leave broken. The old object is as stored. */
export function validateMetaUpdate(
  object: { readonly metadata: ObjectMeta },
  old: { readonly metadata: ObjectMeta },
  { isCustom = false }: { readonly isCustom?: boolean } = {},
): readonly FieldError[] {
  const { metadata: next } = object
  const { metadata: before } = old
  const errors: FieldError[] = []
  if (before.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((name) => !(before.finalizers ?? []).includes(name))
    if (added.length > 0) {
      const shown = [...new Set(added)].sort().map((name) => JSON.stringify(name))
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown.join(', ')}}`
      errors.push(fieldForbidden('metadata.finalizers', detail))
    }
  }
  if ((next.generation ?? 0) < (before.generation ?? 0))
    errors.push(fieldInvalid('metadata.generation', next.generation ?? 0, 'must not be decremented'))
  for (const field of immutable) {
    if (!isDeepStrictEqual(next[field] ?? undefined, before[field] ?? undefined))
      errors.push(fieldInvalid(`metadata.${field}`, next[field], 'field is immutable'))
  }
  return [
    ...errors,
    ...validateLabels(next.labels, 'metadata.labels'),
    ...validateAnnotations(next.annotations, 'metadata.annotations'),
    ...validateOwnerReferences(next.ownerReferences ?? []),
    ...validateFinalizers(next.finalizers ?? [], isCustom),
    ...validateManagedFields(next.managedFields ?? []),
  ]
}

const immutable = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

function validateNames({ name = '', generateName = '' }: ObjectMeta, ruleName: NameRuleName): FieldError[] {
  const rule = nameRules[ruleName]
  const prefixRule = rule === pathSegment ? pathSegmentPrefix : asPrefix(rule)
  return [
    ...(generateName === '' ? [] : checkText(prefixRule, generateName, 'metadata.generateName')),
    ...(name === ''
      ? [fieldRequired('metadata.name', 'name or generateName is required')]
      : checkText(rule, name, 'metadata.name')),
  ]
}

function validateNamespace(namespace: string, isNamespaced: boolean): readonly FieldError[] {
  const field = 'metadata.namespace'
  if (!isNamespaced) return namespace === '' ? [] : [fieldForbidden(field, 'not allowed on this type')]
  if (namespace === '') return [fieldRequired(field)]
  return checkText(dnsLabel, namespace, field)
}

function validateOwnerReferences(references: readonly OwnerReference[]): readonly FieldError[] {
  const field = 'metadata.ownerReferences'
  const errors = references.flatMap((reference) => validateOwnerReference(reference, field))
  const [first, ...others] = references.filter((reference) => reference.controller === true)
  for (const other of others) {
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first?.kind}/${first?.name} and ${other.kind}/${other.name}`
    errors.push(fieldInvalid(field, references, detail))
  }
  return errors
}

function validateOwnerReference(reference: OwnerReference, field: string): FieldError[] {
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference
  const errors: FieldError[] = []
  const { group, version } = parseApiVersion(apiVersion)
  if (version === '')
    errors.push(fieldInvalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'))
  if (kind === '') errors.push(fieldInvalid(`${field}.kind`, kind, 'must not be empty'))
  if (name === '') errors.push(fieldInvalid(`${field}.name`, name, 'must not be empty'))
  if (uid === '') errors.push(fieldInvalid(`${field}.uid`, uid, 'must not be empty'))
  if (group === '' && version === 'v1' && kind === 'Event')
    errors.push(fieldInvalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'))
  return errors
}

const standardFinalizers: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion']

function validateFinalizers(finalizers: readonly string[], isCustom: boolean): readonly FieldError[] {
  const field = 'metadata.finalizers'
  const errors = finalizers.flatMap((name) => checkText(qualifiedName, name, field))
  if (!isCustom) {
    // Custom resources get a warning in place of this error: see finalizerWarnings().
    finalizers.forEach((name, index) => {
      if (name.includes('/') || standardFinalizers.includes(name)) return
      const detail = 'name is neither a standard finalizer name nor is it fully qualified'
      errors.push(fieldInvalid(`${field}[${index}]`, name, detail))
    })
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.push(fieldInvalid(field, finalizers, 'finalizer foregroundDeletion and orphan cannot be both set'))
  return errors
}

/** What the writer of a custom resource is told about finalizers that are new and not fully qualified. */
export function finalizerWarnings(metadata: ObjectMeta, old?: ObjectMeta | undefined): readonly string[] {
  return (metadata.finalizers ?? []).flatMap((name, index) => {
    const isFine = name.includes('/') || standardFinalizers.includes(name) || old?.finalizers?.includes(name)
    if (isFine === true) return []
    const advice = name.includes('.') ? ' including a path (/)' : ''
    return [
      `metadata.finalizers[${index}]: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name${advice} to avoid accidental conflicts with other finalizer writers`,
    ]
  })
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[]): readonly FieldError[] {
  return entries.flatMap(({ operation = '', fieldsType = '', manager = '', subresource = '' }, index) => {
    const field = `metadata.managedFields[${index}]`
    const errors: FieldError[] = []
    if (operation !== 'Apply' && operation !== 'Update')
      errors.push(fieldInvalid(`${field}.operation`, operation, 'must be `Apply` or `Update`'))
    if (fieldsType !== '' && fieldsType !== 'FieldsV1')
      errors.push(fieldInvalid(`${field}.fieldsType`, fieldsType, 'must be `FieldsV1`'))
    errors.push(...validateFieldManager(manager, `${field}.manager`))
    if (Buffer.byteLength(subresource) > subresourceBytesMax)
      errors.push(fieldTooLong(`${field}.subresource`, subresourceBytesMax))
    return errors
  })
}

/** The `fieldManager` of a request; that apply needs one is the caller's rule. */
export function validateFieldManager(manager: string, field = 'fieldManager'): readonly FieldError[] {
  const errors: FieldError[] = []
  if (Buffer.byteLength(manager) > fieldManagerBytesMax)
    errors.push(fieldTooLong(field, fieldManagerBytesMax))
  let position = 0
  for (const character of manager) {
    // Go's IsPrint: letters, marks, numbers, punctuation, symbols and the plain space.
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character))
      errors.push(
        fieldInvalid(field, manager, `invalid character ${goRune(character)} (at position ${position})`),
      )
    position += Buffer.byteLength(character)
  }
  return errors
}

/** `U+000A`, as Go's `%#U` writes a rune that cannot be shown. */
const goRune = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
