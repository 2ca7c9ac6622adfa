// What the workload kinds share: a template whose labels the selector must match, counts, and rollout limits.
// What their controllers do with it is controllers/'s.

import { fromLabelSelectorObject, type LabelSelectorObject } from '../../api/select.ts'
import {
  ApiError,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText, validateLabelSelector } from '../../api/validate/labels.ts'
import { percentRule } from '../../api/validate/names.ts'
import { type Fields, fieldsOf, isPresent, isZero, numberOf, textOf } from '../fields.ts'
import { validatePodTemplate } from '../pods/spec-validate.ts'
import { checkNotNegative } from '../rules.ts'

type Errors = readonly FieldError[]

/** The selector of a workload: there, well-formed and not empty. `noun` is how upstream's text calls the kind. */
export function checkSelector(spec: Fields, noun: string): Errors {
  const { selector } = { selector: spec['selector'] }
  if (!isPresent(selector)) return [fieldRequired('spec.selector')]
  const errors = validateLabelSelector(selector as LabelSelectorObject, 'spec.selector')
  const { matchLabels, matchExpressions } = selector as Record<string, unknown>
  if (!isZero(matchLabels) || !isZero(matchExpressions)) return errors
  return [...errors, fieldInvalid('spec.selector', selector, `empty selector is invalid for ${noun}`)]
}

/** Whether the pods of a template belong to the selector. */
export function checkTemplateLabels(spec: Fields): Errors {
  const labels = fieldsOf(fieldsOf(spec['template'])['metadata'])['labels']
  try {
    const selector = fromLabelSelectorObject(spec['selector'] as LabelSelectorObject | undefined)
    if (selector.isEmpty || selector.matches(fieldsOf(labels) as Record<string, string>)) return []
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return [fieldInvalid('spec.selector', spec['selector'], 'invalid label selector')]
  }
  return [
    fieldInvalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
  ]
}

/** The template of pods that are always restarted. `noun` is the kind in upstream's text. */
export function checkLastingTemplate(template: Fields, noun: string, path = 'spec.template'): Errors {
  const spec = fieldsOf(template['spec'])
  const restart = spec['restartPolicy']
  const deadline = `${path}.spec.activeDeadlineSeconds`
  return [
    ...validatePodTemplate(template, path),
    ...(restart === 'Always'
      ? []
      : [fieldNotSupported(`${path}.spec.restartPolicy`, restart ?? '', ['Always'])]),
    ...(isPresent(spec['activeDeadlineSeconds'])
      ? [fieldForbidden(deadline, `activeDeadlineSeconds in ${noun} is not Supported`)]
      : []),
  ]
}

/** Replicas and the like: no count is negative. */
export function checkCounts(object: Fields, names: readonly string[], path: string): Errors {
  return names.flatMap((name) => checkNotNegative(object[name], `${path}.${name}`))
}

export function checkIntOrPercent(value: unknown, field: string): Errors {
  return typeof value === 'string' ? checkText(percentRule, value, field) : checkNotNegative(value, field)
}

/** The number before the percent sign, or the number. */
export function intOrPercentValue(value: unknown): number {
  return typeof value === 'string' ? Number.parseInt(value, 10) || 0 : numberOf(value)
}

export function checkAtMostAll(value: unknown, field: string): Errors {
  if (!textOf(value).endsWith('%') || intOrPercentValue(value) <= 100) return []
  return [fieldInvalid(field, value, 'must not be greater than 100%')]
}

/** Counts of a status: none negative, none greater than the replicas it counts. */
export function checkStatusCounts(
  object: Fields,
  old: Fields,
  { counts, readyText }: { readonly counts: readonly string[]; readonly readyText: string },
): Errors {
  const status = fieldsOf(object['status'])
  const replicas = numberOf(status['replicas'])
  const errors: FieldError[] = [
    ...checkCounts(status, ['observedGeneration', 'replicas', ...counts], 'status'),
  ]
  for (const name of counts) {
    if (
      name === 'unavailableReplicas' ||
      name === 'terminatingReplicas' ||
      numberOf(status[name]) <= replicas
    )
      continue
    errors.push(fieldInvalid(`status.${name}`, status[name], 'cannot be greater than status.replicas'))
  }
  if (numberOf(status['availableReplicas']) > numberOf(status['readyReplicas'])) {
    errors.push(fieldInvalid('status.availableReplicas', status['availableReplicas'], readyText))
  }
  const collisions = numberOf(status['collisionCount'])
  if (collisions < numberOf(fieldsOf(old['status'])['collisionCount'])) {
    errors.push(fieldInvalid('status.collisionCount', collisions, 'cannot be decremented'))
  }
  return errors
}
