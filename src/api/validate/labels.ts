// Checks label maps, annotations and selector objects wherever they stand in an object.
// Upstream: apimachinery/pkg/apis/meta/v1/validation; the syntax itself is names.ts's.

import type { LabelSelectorObject } from '../select.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from '../status.ts'
import { labelValueRule, qualifiedName, type TextRule } from './names.ts'

export const annotationBytesMax = 256 * 1024

/** One error for each problem that the rule finds. */
export const checkText = (rule: TextRule, value: string, field: string): readonly FieldError[] =>
  rule(value).map((problem) => fieldInvalid(field, value, problem))

type TextMap = Readonly<Record<string, string>>

export function validateLabels(labels: TextMap | undefined, field: string): readonly FieldError[] {
  if (labels === undefined) return []
  return Object.entries(labels).flatMap(([key, value]) => [
    ...checkText(qualifiedName, key, field),
    ...checkText(labelValueRule, value, field),
  ])
}

export function validateAnnotations(annotations: TextMap | undefined, field: string): readonly FieldError[] {
  if (annotations === undefined) return []
  let bytes = 0
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
    // The rule is that of labels, but case does not matter.
    errors.push(...qualifiedName(key.toLowerCase()).map((problem) => fieldInvalid(field, key, problem)))
  }
  if (bytes > annotationBytesMax) errors.push(fieldTooLong(field, annotationBytesMax))
  return errors
}

/** A `LabelSelector` inside an object; an absent one is fine here. */
export function validateLabelSelector(
  selector: LabelSelectorObject | null | undefined,
  field: string,
): readonly FieldError[] {
  if (selector === undefined || selector === null) return []
  const expressions = selector.matchExpressions ?? []
  return [
    ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
    ...expressions.flatMap((expression, index) =>
      validateExpression(expression, `${field}.matchExpressions[${index}]`),
    ),
  ]
}

function validateExpression(
  { key, operator, values = [] }: NonNullable<LabelSelectorObject['matchExpressions']>[number],
  field: string,
): readonly FieldError[] {
  const errors: FieldError[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(fieldRequired(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(
        fieldForbidden(
          `${field}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
      )
  } else {
    errors.push(fieldInvalid(`${field}.operator`, operator ?? '', 'not a valid selector operator'))
  }
  errors.push(...checkText(qualifiedName, key ?? '', `${field}.key`))
  values.forEach((value, index) => {
    errors.push(...checkText(labelValueRule, value, `${field}.values[${index}]`))
  })
  return errors
}
