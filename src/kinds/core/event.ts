// Events: what happened to an object, for people to read. Their face in events.k8s.io is events/event.ts's.
// Upstream: pkg/apis/core/validation/events.go, printEvent.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import type { Column } from '../../api/table.ts'
import { checkText } from '../../api/validate/labels.ts'
import { qualifiedName } from '../../api/validate/names.ts'
import { type Cell, nameColumn, nameOf, since, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, numberOf, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'

type Errors = readonly FieldError[]

export const eventColumns: readonly Column[] = [
  text('Last Seen'),
  text('Type'),
  text('Reason'),
  text('Object'),
  wide('Subobject'),
  wide('Source'),
  text('Message'),
  wide('First Seen'),
  wide('Count'),
  { ...nameColumn, priority: 1 },
]

const involvedNames = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

export const event: Kind = defineKind({
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  allowsCreateOnUpdate: true,
  columns: eventColumns,
  cells: eventCells,
  selectableFields: {
    ...Object.fromEntries(
      involvedNames.map((name) => [
        `involvedObject.${name}`,
        (object: KubeObject) => textOf(at(object, 'involvedObject', name)),
      ]),
    ),
    reason: (object) => textOf(object['reason']),
    type: (object) => textOf(object['type']),
    reportingComponent: (object) => textOf(object['reportingComponent']),
    source: (object) => textOf(at(object, 'source', 'component')) || textOf(object['reportingComponent']),
  },
  validate: (object) => validateEvent(object, 'reportingComponent'),
  // An old client may leave out what the event is about.
  tolerates: ['involvedObject'],
})

export function eventCells(event: KubeObject, now: number): readonly Cell[] {
  const involved = fieldsOf(event['involvedObject'])
  const series = event['series']
  const kind = textOf(involved['kind']).toLowerCase()
  const name = textOf(involved['name'])
  const first = since(textOf(event['firstTimestamp']) || event['eventTime'], now)
  const last = isPresent(series)
    ? since(at(series, 'lastObservedTime'), now)
    : isZero(event['lastTimestamp'])
      ? first
      : since(event['lastTimestamp'], now)
  return [
    last,
    textOf(event['type']),
    textOf(event['reason']),
    name === '' ? kind : `${kind}/${name}`,
    textOf(involved['fieldPath']),
    sourceCell(event),
    textOf(event['message']).trim(),
    first,
    isPresent(series) ? numberOf(at(series, 'count')) : numberOf(event['count']) || 1,
    nameOf(event),
  ]
}

function sourceCell(event: KubeObject): string {
  const source = fieldsOf(event['source'])
  const component = textOf(source['component']) || textOf(event['reportingComponent'])
  const host = textOf(source['host']) || textOf(event['reportingInstance'])
  return host === '' ? component : `${component}, ${host}`
}

const charactersMax = { reportingInstance: 128, action: 128, reason: 128 } as const
const messageCharactersMax = 1024

/** Events with an eventTime come from the newer recorders, and are held to more. */
export function validateEvent(event: KubeObject, reporterField: string): Errors {
  const involvedNamespace = textOf(at(event, 'involvedObject', 'namespace'))
  const namespace = event.metadata.namespace ?? ''
  const mismatch = [
    fieldInvalid('involvedObject.namespace', involvedNamespace, 'does not match event.namespace'),
  ]
  if (isZero(event['eventTime'])) {
    const isFine =
      involvedNamespace === '' ? ['', 'default'].includes(namespace) : involvedNamespace === namespace
    return isFine ? [] : mismatch
  }
  const isFine = involvedNamespace !== '' || ['default', 'kube-system'].includes(namespace)
  const reporter = textOf(event['reportingComponent'])
  return [
    ...(isFine ? [] : mismatch),
    ...(reporter === '' ? [fieldRequired(reporterField)] : []),
    ...checkText(qualifiedName, reporter, reporterField),
    ...Object.entries(charactersMax).flatMap(([name, max]) => checkLength(event, name, max)),
    ...(textOf(event['message']).length > messageCharactersMax
      ? [fieldInvalid('message', '', `can have at most ${messageCharactersMax} characters`)]
      : []),
  ]
}

function checkLength(event: Fields, name: string, max: number): Errors {
  const value = textOf(event[name])
  if (value === '') return [fieldRequired(name)]
  return value.length > max ? [fieldInvalid(name, '', `can have at most ${max} characters`)] : []
}
