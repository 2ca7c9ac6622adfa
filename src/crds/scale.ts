// The numbers that a CRD's scale subresource reads must be counts.
// Reading and writing them through /scale is the server's.

import type { KubeObject } from '../api/object.ts'
import { type FieldError, fieldInvalid } from '../api/status.ts'
import type { ScalePaths } from '../kinds/kind.ts'
import { valueAt } from './json-path.ts'

const int32Max = 2 ** 31 - 1

export function checkScale(object: KubeObject, { specReplicas }: ScalePaths): readonly FieldError[] {
  return checkCount(object, specReplicas)
}

export function checkScaleStatus(
  object: KubeObject,
  { statusReplicas, labelSelector }: ScalePaths,
): readonly FieldError[] {
  const selector = labelSelector === undefined ? undefined : valueAt(object, labelSelector.split('.'))
  const isText = selector === undefined || typeof selector === 'string'
  return [
    ...checkCount(object, statusReplicas),
    ...(isText
      ? []
      : [fieldInvalid(`.${labelSelector}`, '', accessorText(`.${labelSelector}`, selector, 'string'))]),
  ]
}

function checkCount(object: KubeObject, path: string): readonly FieldError[] {
  const value = valueAt(object, path.split('.'))
  const field = `.${path}`
  if (value === undefined) return []
  if (typeof value !== 'number' || !Number.isInteger(value))
    return [fieldInvalid(field, 0, accessorText(field, value, 'int64'))]
  if (value < 0) return [fieldInvalid(field, value, 'should be a non-negative integer')]
  return value > int32Max ? [fieldInvalid(field, value, `should be less than or equal to ${int32Max}`)] : []
}

const accessorText = (field: string, value: unknown, wanted: string): string =>
  `${field} accessor error: ${JSON.stringify(value)} is of the type ${typeof value}, expected ${wanted}`
