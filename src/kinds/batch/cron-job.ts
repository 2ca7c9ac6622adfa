// Cron jobs: jobs by the clock.

import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { ageColumn, ageOf, boolean, integer, nameColumn, nameOf, since, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, listOf, textOf } from '../fields.ts'
import { fill, set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { containerCells, selectorCell } from '../pods/template-cells.ts'
import { checkNotNegative, checkWord, whenPresent } from '../rules.ts'
import { checkSchedule } from './cron-schedule.ts'
import { defaultJobSpec, validateJobSpec } from './job-spec.ts'

type Errors = readonly FieldError[]

const nameCharactersMax = 52

export const cronJob: Kind = defineKind({
  group: 'batch',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  tracksGeneration: true,
  columns: [
    nameColumn,
    text('Schedule'),
    text('Timezone'),
    boolean('Suspend'),
    integer('Active'),
    text('Last Schedule'),
    ageColumn,
    wide('Containers'),
    wide('Images'),
    wide('Selector'),
  ],
  cells: (object, now) => {
    const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])]
    const last = status['lastScheduleTime']
    const jobSpec = at(spec, 'jobTemplate', 'spec')
    return [
      nameOf(object),
      textOf(spec['schedule']),
      textOf(spec['timeZone']) || '<none>',
      isPresent(spec['suspend']) ? (spec['suspend'] === true ? 'True' : 'False') : '<unset>',
      listOf(status['active']).length,
      isPresent(last) ? since(last, now) : '<none>',
      ageOf(object, now),
      ...containerCells(at(jobSpec, 'template', 'spec')),
      selectorCell(at(jobSpec, 'selector')),
    ]
  },
  defaults: (object) => {
    const spec = fill(fieldsOf(object['spec']), {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    })
    const template = fieldsOf(spec['jobTemplate'])
    const jobTemplate = set(template, 'spec', defaultTemplateSpec(fieldsOf(template['spec'])))
    return set(object, 'spec', set(spec, 'jobTemplate', jobTemplate))
  },
  status: {},
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateNew: (object) =>
    // The jobs are called after it, with a time of eleven characters behind.
    nameOf(object).length > nameCharactersMax
      ? [
          fieldInvalid(
            'metadata.name',
            nameOf(object),
            `must be no more than ${nameCharactersMax} characters`,
          ),
        ]
      : [],
})

/** A template is no job: upstream fills in its pods only. */
function defaultTemplateSpec(spec: Fields): Fields {
  return set(spec, 'template', fieldsOf(defaultJobSpec(spec)['template']))
}

function validateSpec(spec: Fields): Errors {
  const schedule = textOf(spec['schedule'])
  const policies = ['Allow', 'Forbid', 'Replace']
  const jobSpec = fieldsOf(at(spec, 'jobTemplate', 'spec'))
  const path = 'spec.jobTemplate.spec'
  return [
    ...(schedule === '' ? [fieldRequired('spec.schedule')] : checkSchedule(schedule, 'spec.schedule')),
    ...checkNotNegative(spec['startingDeadlineSeconds'], 'spec.startingDeadlineSeconds'),
    ...whenPresent(spec['timeZone'], () => checkTimeZone(textOf(spec['timeZone']))),
    ...checkWord(spec['concurrencyPolicy'], policies, 'spec.concurrencyPolicy'),
    ...validateJobSpec(jobSpec, path),
    ...whenPresent(jobSpec['selector'], () => [
      fieldInvalid(`${path}.selector`, jobSpec['selector'], '`selector` will be auto-generated'),
    ]),
    ...(jobSpec['manualSelector'] === true
      ? [fieldNotSupported(`${path}.manualSelector`, true, ['nil', 'false'])]
      : []),
    ...['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'].flatMap((name) =>
      checkNotNegative(spec[name], `spec.${name}`),
    ),
  ]
}

function checkTimeZone(zone: string): Errors {
  const field = 'spec.timeZone'
  if (zone === '') return [fieldInvalid(field, zone, 'timeZone must be nil or non-empty string')]
  if (zone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
    return [fieldInvalid(field, zone, detail)]
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return []
  } catch {
    return [fieldInvalid(field, zone, `unknown time zone ${zone}`)]
  }
}
