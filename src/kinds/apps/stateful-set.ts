// Stateful sets: pods with names that last, and claims of their own.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text, wide } from '../columns.ts'
import { validateClaimSpec } from '../core/claim-spec.ts'
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
import { drop, each, fill, pipe, set, take, within } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { containerCells } from '../pods/template-cells.ts'
import { checkNotNegative, whenPresent } from '../rules.ts'
import {
  checkAtMostAll,
  checkCounts,
  checkIntOrPercent,
  checkLastingTemplate,
  checkSelector,
  checkStatusCounts,
  checkTemplateLabels,
  intOrPercentValue,
} from './workload.ts'

type Errors = readonly FieldError[]

export const statefulSet: Kind = defineKind({
  group: 'apps',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  // The pods are called after it, with a number behind.
  nameRule: 'dns-label',
  tracksGeneration: true,
  columns: [nameColumn, text('Ready'), ageColumn, wide('Containers'), wide('Images')],
  cells: (object, now) => [
    nameOf(object),
    `${numberOf(at(object, 'status', 'readyReplicas'))}/${numberOf(at(object, 'spec', 'replicas'))}`,
    ageOf(object, now),
    ...containerCells(at(object, 'spec', 'template', 'spec')),
  ],
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  status: {
    initial: { replicas: 0, availableReplicas: 0 },
    validate: (object, old) =>
      checkStatusCounts(object, old, {
        counts: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
        readyText: 'cannot be greater than status.readyReplicas',
      }),
  },
  scale: {
    specReplicas: 'spec.replicas',
    statusReplicas: 'status.replicas',
    labelSelector: 'spec.selector',
  },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateNew: (object) => checkNewSpec(fieldsOf(object['spec'])),
  validateChange,
})

function defaultSpec(spec: Fields): Fields {
  return pipe(
    spec,
    (one) => fill(one, { podManagementPolicy: 'OrderedReady', replicas: 1, revisionHistoryLimit: 10 }),
    (one) => set(one, 'updateStrategy', defaultStrategy(fieldsOf(one['updateStrategy']))),
    (one) =>
      set(
        one,
        'persistentVolumeClaimRetentionPolicy',
        fill(fieldsOf(one['persistentVolumeClaimRetentionPolicy']), {
          whenDeleted: 'Retain',
          whenScaled: 'Retain',
        }),
      ),
    (one) => set(one, 'template', defaultPodTemplate(fieldsOf(one['template']))),
    (one) => each(one, 'volumeClaimTemplates', defaultClaim),
  )
}

function defaultStrategy(strategy: Fields): Fields {
  const typed =
    textOf(strategy['type']) === ''
      ? fill({ ...strategy, type: 'RollingUpdate' }, { rollingUpdate: {} })
      : strategy
  if (typed['type'] !== 'RollingUpdate') return typed
  return within(typed, 'rollingUpdate', (rolling) => fill(rolling, { partition: 0 }))
}

function defaultClaim(claim: Fields): Fields {
  const named = fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' })
  const spec = set(named, 'spec', fill(fieldsOf(named['spec']), { volumeMode: 'Filesystem' }))
  return set(spec, 'status', fill(fieldsOf(spec['status']), { phase: 'Pending' }))
}

function validateSpec(spec: Fields): Errors {
  return [
    ...checkPolicy(textOf(spec['podManagementPolicy'])),
    ...checkStrategy(fieldsOf(spec['updateStrategy'])),
    ...checkRetention(fieldsOf(spec['persistentVolumeClaimRetentionPolicy'])),
    ...checkCounts(spec, ['replicas', 'minReadySeconds'], 'spec'),
    ...checkNotNegative(at(spec, 'ordinals', 'start'), 'spec.ordinals.start'),
    ...checkSelector(spec, 'statefulset'),
    ...checkTemplateLabels(spec),
    ...checkLastingTemplate(templateWithClaims(spec), 'StatefulSet'),
  ]
}

/** Immutable later, so old objects may hold what is refused now. */
function checkNewSpec(spec: Fields): Errors {
  const service = textOf(spec['serviceName'])
  return [
    ...itemsOf(spec['volumeClaimTemplates']).flatMap((claim, index) =>
      validateClaimSpec(fieldsOf(claim['spec']), `spec.volumeClaimTemplates[${index}].spec`),
    ),
    ...(service === '' ? [] : checkText(dnsLabel, service, 'spec.serviceName')),
  ]
}

function checkPolicy(policy: string): Errors {
  if (policy === '') return [fieldRequired('spec.podManagementPolicy')]
  if (policy === 'OrderedReady' || policy === 'Parallel') return []
  return [fieldInvalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'")]
}

function checkStrategy(strategy: Fields): Errors {
  const path = 'spec.updateStrategy'
  const rolling = strategy['rollingUpdate']
  switch (strategy['type']) {
    case undefined:
    case '':
      return [fieldRequired(path)]
    case 'OnDelete':
      return whenPresent(rolling, () => [
        fieldInvalid(`${path}.rollingUpdate`, rolling, "only allowed for updateStrategy 'RollingUpdate'"),
      ])
    case 'RollingUpdate':
      return whenPresent(rolling, () => checkRolling(fieldsOf(rolling), `${path}.rollingUpdate`))
    default:
      return [fieldInvalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
  }
}

function checkRolling(rolling: Fields, path: string): Errors {
  const most = rolling['maxUnavailable']
  const field = `${path}.maxUnavailable`
  const counted = checkNotNegative(rolling['partition'], `${path}.partition`)
  if (!isPresent(most)) return counted
  return [
    ...counted,
    ...checkIntOrPercent(most, field),
    ...(intOrPercentValue(most) === 0 ? [fieldInvalid(field, most, 'cannot be 0')] : []),
    ...checkAtMostAll(most, field),
  ]
}

function checkRetention(policy: Fields): Errors {
  const policies = ['Delete', 'Retain']
  return ['whenDeleted', 'whenScaled'].flatMap((name) =>
    policies.includes(textOf(policy[name]))
      ? []
      : [
          fieldNotSupported(
            `spec.persistentVolumeClaimRetentionPolicy.${name}`,
            policy[name] ?? '',
            policies,
          ),
        ],
  )
}

/** The template as its pods will be: names given, and a volume for each claim. */
function templateWithClaims(spec: Fields): Fields {
  const template = fieldsOf(spec['template'])
  const claims = itemsOf(spec['volumeClaimTemplates']).map((claim) => textOf(at(claim, 'metadata', 'name')))
  return set(template, 'spec', withClaims(drop(fieldsOf(template['spec']), 'hostname', 'subdomain'), claims))
}

function withClaims(podSpec: Fields, claims: readonly string[]): Fields {
  if (isZero(claims)) return podSpec
  const others = itemsOf(podSpec['volumes']).filter((volume) => !claims.includes(textOf(volume['name'])))
  const volumes = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
  return set(podSpec, 'volumes', [...volumes, ...others])
}

const changeable = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
]

function validateChange(object: KubeObject, old: KubeObject): Errors {
  const before = fieldsOf(old['spec'])
  const kept = changeable.reduce((spec, name) => take(spec, name, before), fieldsOf(object['spec']))
  if (isEqual(kept, before)) return []
  const detail =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
  return [fieldForbidden('spec', detail)]
}
