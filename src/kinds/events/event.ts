// Events as events.k8s.io/v1 has them: the same stored objects as the core group's, with other names for some fields.
// Upstream: pkg/apis/events/v1/conversion.go, pkg/apis/core/validation/events.go.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { event, eventCells, eventColumns, validateEvent } from '../core/event.ts'
import { defineKind } from '../define.ts'
import { at, isPresent, isZero, numberOf, textOf } from '../fields.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'

type Errors = readonly FieldError[]

/** Names here and in the core group. */
const renamed: Readonly<Record<string, string>> = {
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
}
const renamedBack = Object.fromEntries(Object.entries(renamed).map(([here, there]) => [there, here]))

const regardingNames = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

export const newEvent: Kind = defineKind({
  group: 'events.k8s.io',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  storageVersionHash: event.storageVersionHash,
  allowsCreateOnUpdate: true,
  columns: eventColumns,
  cells: (object, now) => eventCells(toCore(object), now),
  selectableFields: {
    ...Object.fromEntries(
      regardingNames.map((name) => [
        `regarding.${name}`,
        (object: KubeObject) => textOf(at(object, 'regarding', name)),
      ]),
    ),
    reason: (object) => textOf(object['reason']),
    type: (object) => textOf(object['type']),
    reportingController: (object) => textOf(object['reportingController']),
  },
  validateNew: (object) => validateNew(toCore(object)),
  validateChange: (object, old) => validateChange(toCore(object), toCore(old)),
  // The rules above say it in the core group's words.
  tolerates: ['eventTime', 'series.count', 'series.lastObservedTime'],
  storedAs: { group: '', plural: 'events', toStored: toCore, fromStored: fromCore },
})

const rename = (object: KubeObject, names: Readonly<Record<string, string>>, apiVersion: string) => ({
  ...(Object.fromEntries(
    Object.entries(object).map(([name, value]) => [names[name] ?? name, value]),
  ) as KubeObject),
  apiVersion,
})

function toCore(object: KubeObject): KubeObject {
  return rename(object, renamed, 'v1')
}

function fromCore(object: KubeObject): KubeObject {
  return rename(object, renamedBack, 'events.k8s.io/v1')
}

const unset = 'needs to be unset'

function validateNew(event: KubeObject): Errors {
  const type = textOf(event['type'])
  return [
    ...validateEvent(event, 'reportingController'),
    ...validateSeries(event),
    ...(isZero(event['eventTime']) ? [fieldRequired('eventTime')] : []),
    ...(type === 'Normal' || type === 'Warning'
      ? []
      : [fieldInvalid('type', '', `has invalid value: ${type}`)]),
    ...(['firstTimestamp', 'lastTimestamp'] as const).flatMap((name) =>
      isZero(event[name]) ? [] : [fieldInvalid(name, '', unset)],
    ),
    ...(numberOf(event['count']) === 0 ? [] : [fieldInvalid('count', '', unset)]),
    ...(textOf(at(event, 'source', 'component')) === '' && textOf(at(event, 'source', 'host')) === ''
      ? []
      : [fieldInvalid('source', '', unset)]),
  ]
}

function validateSeries(event: KubeObject): Errors {
  const series = event['series']
  if (!isPresent(series)) return []
  return [
    ...(numberOf(at(series, 'count')) < 2 ? [fieldInvalid('series.count', '', 'should be at least 2')] : []),
    ...(isZero(at(series, 'lastObservedTime')) ? [fieldRequired('series.lastObservedTime')] : []),
  ]
}

const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
]
const alsoFixed = ['eventTime', 'action', 'related', 'reportingComponent', 'reportingInstance']

function validateChange(event: KubeObject, old: KubeObject): Errors {
  return [
    ...validateEvent(event, 'reportingController'),
    ...(JSON.stringify(event['series']) === JSON.stringify(old['series']) ? [] : validateSeries(event)),
    ...[...fixed, ...alsoFixed].flatMap((name) => {
      const field = name === 'reportingComponent' ? 'reportingController' : name
      return immutableField(field, event[name], old[name])
    }),
  ]
}
