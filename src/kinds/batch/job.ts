// Jobs: pods that run to an end. The job controller runs them.

import type { KubeObject } from '../../api/object.ts'
import type { LabelSelectorObject } from '../../api/select.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { validateLabelSelector } from '../../api/validate/labels.ts'
import { dnsLabel } from '../../api/validate/names.ts'
import { checkTemplateLabels } from '../apps/workload.ts'
import { ageColumn, ageOf, humanDuration, nameColumn, nameOf, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isEqual,
  isPresent,
  isZero,
  itemsOf,
  numberOf,
  textOf,
} from '../fields.ts'
import { fill, set, take } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { containerCells, selectorCell } from '../pods/template-cells.ts'
import { defaultJobSpec, hasCondition, selectOwnPods, validateJobSpec } from './job-spec.ts'

type Errors = readonly FieldError[]

export const job: Kind = defineKind({
  group: 'batch',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  tracksGeneration: true,
  defaultPropagation: 'Background',
  columns: [
    nameColumn,
    text('Status'),
    text('Completions'),
    text('Duration'),
    ageColumn,
    wide('Containers'),
    wide('Images'),
    wide('Selector'),
  ],
  cells: (object, now) => [
    nameOf(object),
    statusCell(object),
    completionsCell(object),
    durationCell(fieldsOf(object['status']), now),
    ageOf(object, now),
    ...containerCells(at(object, 'spec', 'template', 'spec')),
    selectorCell(at(object, 'spec', 'selector')),
  ],
  selectableFields: {
    'status.successful': (object) => String(numberOf(at(object, 'status', 'succeeded'))),
  },
  defaults: (object) => {
    const spec = defaultJobSpec(fieldsOf(object['spec']))
    const selecting = set(object, 'spec', fill(spec, { manualSelector: false }))
    const labels = at(object, 'spec', 'template', 'metadata', 'labels')
    const isBare = isZero(object.metadata.labels) && !isZero(labels)
    const labelled = isBare
      ? { ...selecting, metadata: { ...object.metadata, labels: labels as Record<string, string> } }
      : selecting
    // The selector holds the uid, which a new object has only after its defaults were filled in once.
    return isZero(object.metadata.uid) ? labelled : selectOwnPods(labelled)
  },
  status: {},
  validate: (object) => {
    const spec = fieldsOf(object['spec'])
    return [
      ...checkGenerated(object),
      ...validateJobSpec(spec, 'spec'),
      ...(isPresent(spec['selector'])
        ? validateLabelSelector(spec['selector'] as LabelSelectorObject, 'spec.selector')
        : [fieldRequired('spec.selector')]),
      ...(isPresent(spec['selector']) ? checkTemplateLabels(spec) : []),
      ...checkHostname(object),
    ]
  },
  validateChange,
})

function statusCell(object: KubeObject): string {
  const is = (type: string) => hasCondition(object, type)
  if (is('Complete')) return 'Complete'
  if (is('Failed')) return 'Failed'
  if (isPresent(object.metadata.deletionTimestamp)) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running'
}

function completionsCell(object: KubeObject): string {
  const { completions, parallelism } = fieldsOf(object['spec']) as Record<
    'completions' | 'parallelism',
    unknown
  >
  const succeeded = numberOf(at(object, 'status', 'succeeded'))
  if (isPresent(completions)) return `${succeeded}/${numberOf(completions)}`
  return numberOf(parallelism) > 1 ? `${succeeded}/1 of ${numberOf(parallelism)}` : `${succeeded}/1`
}

function durationCell(status: Fields, now: number): string {
  const start = Date.parse(textOf(status['startTime']))
  if (Number.isNaN(start)) return ''
  const end = Date.parse(textOf(status['completionTime']))
  return humanDuration((Number.isNaN(end) ? now : end) - start)
}

/** Labels that the job gives its pods may not be somebody else's. */
function checkGenerated(object: KubeObject): Errors {
  const spec = fieldsOf(object['spec'])
  const uid = object.metadata.uid ?? ''
  if (spec['manualSelector'] === true || !isPresent(spec['selector']) || uid === '') return []
  const labels = fieldsOf(at(spec, 'template', 'metadata', 'labels'))
  const expected = {
    'controller-uid': uid,
    'job-name': nameOf(object),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': nameOf(object),
  }
  return Object.entries(expected)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key, value]) =>
      labels[key] === undefined
        ? fieldRequired(`spec.template.metadata.labels[${key}]`, `must be '${value}'`)
        : fieldInvalid(`spec.template.metadata.labels[${key}]`, labels, `must be '${value}'`),
    )
}

function checkHostname(object: KubeObject): Errors {
  const spec = fieldsOf(object['spec'])
  const completions = numberOf(spec['completions'])
  if (spec['completionMode'] !== 'Indexed' || completions < 1) return []
  const hostname = `${nameOf(object)}-${completions - 1}`
  if (dnsLabel(hostname).length === 0) return []
  const detail = `will not able to create pod with invalid DNS label: ${hostname}`
  return [fieldInvalid('metadata.name', nameOf(object), detail)]
}

function validateChange(object: KubeObject, old: KubeObject): Errors {
  const [spec, before] = [fieldsOf(object['spec']), fieldsOf(old['spec'])]
  const isIndexed = spec['completionMode'] === 'Indexed'
  const completions =
    isIndexed && isPresent(spec['completions']) && !isEqual(spec['completions'], before['completions'])
      ? spec['completions'] === spec['parallelism']
        ? []
        : [
            fieldInvalid(
              'spec.completions',
              spec['completions'],
              'can only be modified in tandem with spec.parallelism',
            ),
          ]
      : immutableField('spec.completions', spec['completions'], before['completions'])
  return [
    ...completions,
    ...[
      'selector',
      'completionMode',
      'podFailurePolicy',
      'backoffLimitPerIndex',
      'managedBy',
      'successPolicy',
    ].flatMap((name) => immutableField(`spec.${name}`, spec[name], before[name])),
    ...immutableField(
      'spec.template',
      spec['template'],
      isSteerable(object, old)
        ? steered(fieldsOf(before['template']), fieldsOf(spec['template']))
        : before['template'],
    ),
  ]
}

/** A suspended job that never started may still be told where its pods run. */
function isSteerable(object: KubeObject, old: KubeObject): boolean {
  return at(old, 'spec', 'suspend') === true && !isPresent(at(object, 'status', 'startTime'))
}

/** The old template with what may change taken from the new one. */
function steered(old: Fields, next: Fields): Fields {
  const nextSpec = fieldsOf(next['spec'])
  let spec = fieldsOf(old['spec'])
  for (const name of ['nodeSelector', 'tolerations', 'schedulingGates']) spec = take(spec, name, nextSpec)
  const affinity = take(fieldsOf(spec['affinity']), 'nodeAffinity', fieldsOf(nextSpec['affinity']))
  const nextContainers = itemsOf(nextSpec['containers'])
  const containers = itemsOf(spec['containers']).map((container, index) =>
    take(container, 'resources', nextContainers[index] ?? container),
  )
  const metadata = take(
    take(fieldsOf(old['metadata']), 'annotations', fieldsOf(next['metadata'])),
    'labels',
    fieldsOf(next['metadata']),
  )
  return { ...old, metadata, spec: { ...spec, containers, ...(isZero(affinity) ? {} : { affinity }) } }
}
