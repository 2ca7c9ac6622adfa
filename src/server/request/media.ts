// Content-Type of a request: the form of its body, or the sort of patch it holds.
// Reading the body in that form is body.ts's.

import type { PatchType } from '../../api/contracts.ts'
import { unsupportedMediaType } from '../../api/status.ts'

export type BodyMedia = 'json' | 'yaml' | 'protobuf'

const bodyMedia: Readonly<Record<string, BodyMedia>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
}

/** An empty header means JSON. Custom resources have no protobuf form. Throws 415. */
export function bodyMediaOf(contentType: string | undefined, isCustom: boolean): BodyMedia {
  const type = mediaTypeOf(contentType)
  if (type === '') return 'json'
  const media = Object.hasOwn(bodyMedia, type) ? bodyMedia[type] : undefined
  if (media !== undefined && !(isCustom && media === 'protobuf')) return media
  throw unsupportedMediaType(
    type,
    Object.keys(bodyMedia).filter((one) => !(isCustom && bodyMedia[one] === 'protobuf')),
  )
}

const patchMedia: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

/** Custom resources have no merge keys, hence no strategic merge. Throws 415. */
export function patchTypeOf(contentType: string | undefined, isCustom: boolean): PatchType {
  const type = mediaTypeOf(contentType)
  const patchType = Object.hasOwn(patchMedia, type) ? patchMedia[type] : undefined
  if (patchType !== undefined && !(isCustom && patchType === 'strategic')) return patchType
  throw unsupportedMediaType(
    type,
    Object.keys(patchMedia).filter((one) => !(isCustom && patchMedia[one] === 'strategic')),
  )
}

const mediaTypeOf = (contentType = ''): string => (contentType.split(';')[0] ?? '').trim().toLowerCase()
