// What a job is asked to do; cron jobs hold such specs in their template.
// Upstream: SetDefaults_Job, validateJobSpec.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { qualifiedName } from '../../api/validate/names.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, listOf, numberOf, textOf } from '../fields.ts'
import { each, fill, pipe, set, within } from '../fill.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { validatePodTemplate } from '../pods/spec-validate.ts'
import { checkNotNegative, checkWord, int32Max } from '../rules.ts'

type Errors = readonly FieldError[]

export function defaultJobSpec(spec: Fields): Fields {
  const isBare = !isPresent(spec['completions']) && !isPresent(spec['parallelism'])
  return pipe(
    spec,
    (one) => (isBare ? fill(one, { completions: 1 }) : one),
    (one) =>
      fill(one, {
        parallelism: 1,
        backoffLimit: isPresent(one['backoffLimitPerIndex']) ? int32Max : 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: isPresent(one['podFailurePolicy']) ? 'Failed' : 'TerminatingOrFailed',
      }),
    (one) =>
      within(one, 'podFailurePolicy', (policy) =>
        each(policy, 'rules', (rule) =>
          each(rule, 'onPodConditions', (pattern) => fill(pattern, { status: 'True' })),
        ),
      ),
    (one) => set(one, 'template', defaultPodTemplate(fieldsOf(one['template']))),
  )
}

/** Gives the pods of a job labels with its uid, and selects them by it. */
export function selectOwnPods(job: KubeObject): KubeObject {
  const spec = fieldsOf(job['spec'])
  if (spec['manualSelector'] === true) return job
  const uid = job.metadata.uid ?? ''
  const name = job.metadata.name ?? ''
  const template = fieldsOf(spec['template'])
  const metadata = fieldsOf(template['metadata'])
  const labels = fill(fieldsOf(metadata['labels']), {
    'job-name': name,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'batch.kubernetes.io/controller-uid': uid,
  })
  const selector = fieldsOf(spec['selector'])
  const matchLabels = fill(fieldsOf(selector['matchLabels']), { 'batch.kubernetes.io/controller-uid': uid })
  return set(job, 'spec', {
    ...spec,
    selector: set(selector, 'matchLabels', matchLabels),
    template: set(template, 'metadata', set(metadata, 'labels', labels)),
  })
}

export function hasCondition(job: KubeObject, type: string): boolean {
  return itemsOf(at(job, 'status', 'conditions')).some(
    (one) => one['type'] === type && one['status'] === 'True',
  )
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]
const indexedMax = 100_000
const rulesMax = 20

export function validateJobSpec(spec: Fields, path: string): Errors {
  const template = fieldsOf(spec['template'])
  return [
    ...counts.flatMap((name) => checkNotNegative(spec[name], `${path}.${name}`)),
    ...checkIndexed(spec, path),
    ...itemsOf(at(spec, 'podFailurePolicy', 'rules')).flatMap((rule, index) =>
      checkFailureRule(rule, spec, `${path}.podFailurePolicy.rules[${index}]`),
    ),
    ...checkPolicies(spec, path),
    ...validatePodTemplate(template, `${path}.template`),
    ...checkRestartPolicy(spec, textOf(at(template, 'spec', 'restartPolicy')), path),
  ]
}

function checkIndexed(spec: Fields, path: string): Errors {
  const mode = spec['completionMode']
  const modes = ['Indexed', 'NonIndexed']
  if (isPresent(mode) && !modes.includes(textOf(mode)))
    return [fieldNotSupported(`${path}.completionMode`, mode, modes)]
  const errors: FieldError[] = []
  if (isPresent(spec['maxFailedIndexes']) && !isPresent(spec['backoffLimitPerIndex']))
    errors.push(fieldRequired(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (mode !== 'Indexed') {
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes', 'successPolicy']) {
      if (isPresent(spec[name]))
        errors.push(fieldInvalid(`${path}.${name}`, spec[name], 'requires indexed completion mode'))
    }
    return errors
  }
  if (!isPresent(spec['completions']))
    errors.push(fieldRequired(`${path}.completions`, 'when completion mode is Indexed'))
  if (numberOf(spec['parallelism']) > indexedMax) {
    const detail = `must be less than or equal to ${indexedMax} when completion mode is Indexed`
    errors.push(fieldInvalid(`${path}.parallelism`, spec['parallelism'], detail))
  }
  const failed = numberOf(spec['maxFailedIndexes'])
  if (isPresent(spec['completions']) && failed > numberOf(spec['completions']))
    errors.push(fieldInvalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  if (failed > indexedMax)
    errors.push(
      fieldInvalid(`${path}.maxFailedIndexes`, failed, `must be less than or equal to ${indexedMax}`),
    )
  return errors
}

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']

function checkFailureRule(rule: Fields, spec: Fields, path: string): Errors {
  const action = textOf(rule['action'])
  const errors: FieldError[] = []
  if (action === '') errors.push(fieldRequired(`${path}.action`, `valid values: ${JSON.stringify(actions)}`))
  else if (!actions.includes(action)) errors.push(fieldNotSupported(`${path}.action`, action, actions))
  else if (action === 'FailIndex' && !isPresent(spec['backoffLimitPerIndex']))
    errors.push(fieldInvalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  const hasCodes = isPresent(rule['onExitCodes'])
  const patterns = itemsOf(rule['onPodConditions'])
  if (hasCodes) errors.push(...checkExitCodes(fieldsOf(rule['onExitCodes']), `${path}.onExitCodes`))
  patterns.forEach((pattern, index) => {
    const field = `${path}.onPodConditions[${index}]`
    errors.push(...checkText(qualifiedName, textOf(pattern['type']), `${field}.type`))
    errors.push(...checkWord(pattern['status'], ['False', 'True', 'Unknown'], `${field}.status`))
  })
  if (hasCodes !== patterns.length > 0) return errors
  const detail = hasCodes
    ? 'specifying both OnExitCodes and OnPodConditions is not supported'
    : 'specifying one of OnExitCodes and OnPodConditions is required'
  // Upstream shows no value here.
  return [...errors, { type: 'FieldValueInvalid' as const, field: path, message: `Invalid value: ${detail}` }]
}

function checkExitCodes(codes: Fields, path: string): Errors {
  const values = listOf(codes['values']).map(numberOf)
  const errors: FieldError[] = [...checkWord(codes['operator'], ['In', 'NotIn'], `${path}.operator`)]
  if (values.length === 0)
    errors.push(fieldInvalid(`${path}.values`, values, 'at least one value is required'))
  values.forEach((value, index) => {
    if (codes['operator'] === 'In' && value === 0)
      errors.push(fieldInvalid(`${path}.values[${index}]`, value, 'must not be 0 for the In operator'))
  })
  const isOrdered = values.every((value, index) => index === 0 || (values[index - 1] ?? 0) <= value)
  if (!isOrdered) errors.push(fieldInvalid(`${path}.values`, values, 'must be ordered'))
  return errors
}

function checkPolicies(spec: Fields, path: string): Errors {
  const replacement = spec['podReplacementPolicy']
  const allowed = isPresent(spec['podFailurePolicy']) ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  const errors: FieldError[] = []
  if (isPresent(replacement) && !allowed.includes(textOf(replacement)))
    errors.push(fieldNotSupported(`${path}.podReplacementPolicy`, replacement, allowed))
  for (const name of ['podFailurePolicy', 'successPolicy']) {
    const rules = itemsOf(at(spec, name, 'rules'))
    const field = `${path}.${name}.rules`
    if (rules.length > rulesMax) errors.push(fieldTooMany(field, rules.length, rulesMax))
    if (name === 'successPolicy' && isPresent(spec[name]) && rules.length === 0)
      errors.push(
        fieldRequired(field, 'at least one rules must be specified when the successPolicy is specified'),
      )
  }
  return errors
}

function checkRestartPolicy(spec: Fields, policy: string, path: string): Errors {
  const field = `${path}.template.spec.restartPolicy`
  if (policy === 'Always' || policy === '')
    return [fieldRequired(field, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never')
    return [fieldNotSupported(field, policy, ['OnFailure', 'Never'])]
  if (!isPresent(spec['podFailurePolicy']) || policy === 'Never') return []
  return [fieldInvalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')]
}
