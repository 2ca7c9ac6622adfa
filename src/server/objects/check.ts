// What the spine asks of an object before it is written: known fields, sound metadata, the kind's own rules.
// The rules themselves stand in kinds/ and api/validate.

import { checkFields } from '../../api/codec.ts'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, type FieldError, invalid } from '../../api/status.ts'
import { finalizerWarnings, validateMeta, validateMetaUpdate } from '../../api/validate/meta.ts'
import type { Kind } from '../../kinds/kind.ts'
import { reportDecoding, type Target } from '../spine.ts'

export function requireBody({ call }: Target): KubeObject {
  if (call.object === undefined) throw badRequest('the body of the request must hold an object')
  return call.object
}

/** Drops fields that the kind does not have, and says so as the caller asked to be told. */
export function normalise(target: Target, object: KubeObject): KubeObject {
  const { call, kind } = target
  const known = kind.prune === undefined ? checkFields(object, kind.schema, kind) : kind.prune(object)
  reportDecoding(target, [...new Set([...(call.decodingWarnings ?? []), ...known.unknown.map(unknownField)])])
  return known.object
}

const unknownField = (text: string): string =>
  text.includes(' field "') ? text : `unknown field ${JSON.stringify(text)}`

export function checkCreate({ kind }: Target, object: KubeObject): void {
  const errors: readonly FieldError[] = [
    ...validateMeta(object, {
      isNamespaced: kind.isNamespaced,
      nameRule: kind.nameRule,
      isCustom: isGeneric(kind),
    }),
    ...kind.validateCreate(object),
  ]
  if (errors.length > 0)
    throw invalid(kind, object.metadata.name ?? object.metadata.generateName ?? '', errors)
}

export function checkUpdate({ kind, subresource }: Target, object: KubeObject, old: KubeObject): void {
  const rules = subresource?.validate ?? (subresource?.merge === undefined ? kind.validateUpdate : () => [])
  const errors: readonly FieldError[] = [
    ...validateMetaUpdate(object, old, { isCustom: isGeneric(kind) }),
    ...rules(object, old),
  ]
  if (errors.length > 0) throw invalid(kind, object.metadata.name ?? '', errors)
}

/** What the caller is told although the object is fine: stored but not enforced, deprecated, ambiguous. */
export function warn(
  { kind, subresource, warnings }: Target,
  object: KubeObject,
  old: KubeObject | undefined,
): void {
  if (subresource !== undefined) return
  const generic = isGeneric(kind) ? finalizerWarnings(object.metadata, old?.metadata) : []
  for (const text of [...(kind.warnings?.(object, old) ?? []), ...generic]) {
    if (!warnings.includes(text)) warnings.push(text)
  }
}

/** CRDs and custom resources are held to the rules of apimachinery, everything else to the stricter ones of core. */
const isGeneric = (kind: Kind): boolean => kind.isCustom || kind.group === 'apiextensions.k8s.io'
