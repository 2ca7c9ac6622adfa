// Certificate signing requests: who asks for which certificate, who approved it, and what was signed.
// Upstream: pkg/registry/certificates and pkg/apis/certificates/validation. Who asks is filled in by admission.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { ageColumn, ageOf, humanDuration, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind, mergeFields } from '../define.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isEqual,
  isPresent,
  itemsOf,
  listOf,
  numberOf,
  textOf,
} from '../fields.ts'
import { set, take } from '../fill.ts'
import type { Kind, Subresource } from '../kind.ts'

type Errors = readonly FieldError[]

const usages = [
  ...['any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign'],
  ...['data encipherment', 'decipher only', 'digital signature', 'email protection', 'encipher only'],
  ...['ipsec end system', 'ipsec tunnel', 'ipsec user', 'key agreement', 'key encipherment'],
  ...['microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime', 'server auth', 'signing', 'timestamping'],
]
const decisions = ['Approved', 'Denied']
const secondsMin = 600

export const certificateSigningRequest: Kind = defineKind({
  group: 'certificates.k8s.io',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  isNamespaced: false,
  nameRule: 'path-segment',
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName'),
    text('Requestor'),
    text('RequestedDuration'),
    text('Condition'),
  ],
  cells: (object, now) => {
    const spec = fieldsOf(object['spec'])
    const seconds = spec['expirationSeconds']
    return [
      nameOf(object),
      ageOf(object, now),
      textOf(spec['signerName']) || '<none>',
      textOf(spec['username']),
      isPresent(seconds) ? humanDuration(numberOf(seconds) * 1000) : '<none>',
      conditionCell(fieldsOf(object['status'])),
    ]
  },
  selectableFields: { 'spec.signerName': (object) => textOf(at(object, 'spec', 'signerName')) },
  status: { initial: {}, restore: keepDecisions, validate: validateStatus },
  // What is asked for never changes.
  prepareUpdate: (object, old) => take(object, 'spec', old),
  validate: (object) => [...validateSpec(fieldsOf(object['spec'])), ...checkConditions(object)],
  subresources: [approval()],
  tolerates: ['spec.usages', 'spec.request'],
})

function approval(): Subresource {
  return {
    name: 'approval',
    verbs: ['get', 'patch', 'update'],
    merge: (submitted, old) => {
      const status = take(fieldsOf(old['status']), 'conditions', fieldsOf(submitted['status']))
      return set(mergeFields(submitted, old, []), 'status', status)
    },
    validate: (object, old) => [...checkConditions(object), ...checkKept(object, old)],
  }
}

function conditionCell(status: Fields): string {
  const types = itemsOf(status['conditions']).map(({ type }) => type)
  const decision = ['Denied', 'Approved'].find((type) => types.includes(type)) ?? 'Pending'
  const failed = types.includes('Failed') ? ',Failed' : ''
  return `${decision}${failed}${textOf(status['certificate']) === '' ? '' : ',Issued'}`
}

function validateSpec(spec: Fields): Errors {
  const asked = listOf(spec['usages'])
  const seconds = spec['expirationSeconds']
  const tooShort = `may not specify a duration less than ${secondsMin} seconds (10 minutes)`
  return [
    ...checkRequest(textOf(spec['request'])),
    ...(asked.length === 0 ? [fieldRequired('spec.usages')] : []),
    ...asked.flatMap((usage, index) => {
      const field = `spec.usages[${index}]`
      if (!usages.includes(textOf(usage))) return [fieldNotSupported(field, usage, usages)]
      return asked.indexOf(usage) < index ? [fieldDuplicate(field, usage)] : []
    }),
    ...checkSigner(textOf(spec['signerName'])),
    ...(isPresent(seconds) && numberOf(seconds) < secondsMin
      ? [fieldInvalid('spec.expirationSeconds', seconds, tooShort)]
      : []),
  ]
}

/** The armour only; what is in it, admission reads with the plane's keys at hand. */
function checkRequest(base64: string): Errors {
  const pem = Buffer.from(base64, 'base64').toString('utf8')
  if (pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) return []
  return [fieldInvalid('spec.request', base64, 'PEM block type must be CERTIFICATE REQUEST')]
}

const domainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/
const pathPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const signerCharactersMax = 571

function checkSigner(name: string): Errors {
  const field = 'spec.signerName'
  if (name === '') return [fieldRequired(field)]
  if (name === 'kubernetes.io/legacy-unknown')
    return [fieldInvalid(field, name, 'the legacy signerName is not allowed via this API version')]
  const [domain = '', path, more] = name.split('/')
  if (path === undefined || more !== undefined) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [fieldInvalid(field, name, detail)]
  }
  if (!domainPattern.test(domain))
    return [fieldInvalid(field, domain, 'should be a domain with at least two segments separated by dots')]
  if (!pathPattern.test(path))
    return [fieldInvalid(field, path, 'the path must consist of lower case alphanumeric characters, - and .')]
  const detail = `may not be more than ${signerCharactersMax} characters`
  return name.length > signerCharactersMax ? [fieldInvalid(field, name, detail)] : []
}

function checkConditions(object: KubeObject): Errors {
  const path = 'status.conditions'
  const conditions = itemsOf(at(object, 'status', 'conditions'))
  const types = conditions.map(({ type }) => textOf(type))
  const errors = conditions.flatMap((condition, index): Errors => {
    const type = textOf(condition['type'])
    const state = textOf(condition['status'])
    const field = `${path}[${index}]`
    const allowed = [...decisions, 'Failed'].includes(type) ? ['True'] : ['False', 'True', 'Unknown']
    return [
      ...(type === '' ? [fieldRequired(`${field}.type`)] : []),
      ...(state === '' ? [fieldRequired(`${field}.status`)] : []),
      ...(state !== '' && !allowed.includes(state)
        ? [fieldNotSupported(`${field}.status`, state, allowed)]
        : []),
      ...(types.indexOf(type) < index ? [fieldDuplicate(`${field}.type`, type)] : []),
    ]
  })
  if (!decisions.every((type) => types.includes(type))) return errors
  const last = types.findLast((type) => decisions.includes(type))
  return [...errors, fieldInvalid(path, last, 'Approved and Denied conditions are mutually exclusive')]
}

const conditionsOf = (object: KubeObject, type: string) =>
  itemsOf(at(object, 'status', 'conditions')).filter((one) => one['type'] === type)

function checkKept(object: KubeObject, old: KubeObject): Errors {
  return [...decisions, 'Failed']
    .filter((type) => conditionsOf(object, type).length < conditionsOf(old, type).length)
    .map((type) =>
      fieldForbidden(
        'status.conditions',
        `updates may not remove a condition of type ${JSON.stringify(type)}`,
      ),
    )
}

/** Writers of the status cannot touch what was decided, but for adding and removing, which is refused. */
function keepDecisions(object: KubeObject, old: KubeObject): KubeObject {
  const conditions = itemsOf(at(object, 'status', 'conditions')).map((one) => {
    const before = decisions.includes(textOf(one['type'])) ? conditionsOf(old, textOf(one['type'])) : []
    return before[0] ?? one
  })
  if (conditions.length === 0) return object
  return set(object, 'status', { ...fieldsOf(object['status']), conditions })
}

function validateStatus(object: KubeObject, old: KubeObject): Errors {
  const [now, before] = [at(object, 'status', 'certificate'), at(old, 'status', 'certificate')]
  const isReset = isPresent(before) && !isEqual(now, before)
  return [
    ...checkConditions(object),
    ...checkKept(object, old),
    ...decisions
      .filter((type) => conditionsOf(object, type).length > conditionsOf(old, type).length)
      .map((type) =>
        fieldForbidden(
          'status.conditions',
          `updates may not add a condition of type ${JSON.stringify(type)}`,
        ),
      ),
    ...(isReset
      ? [fieldForbidden('status.certificate', 'updates may not modify existing certificate content')]
      : []),
    ...checkCertificate(textOf(now)),
  ]
}

function checkCertificate(base64: string): Errors {
  if (base64 === '') return []
  const pem = Buffer.from(base64, 'base64').toString('utf8')
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return []
  const detail = 'must contain at least one CERTIFICATE PEM block'
  return [fieldInvalid('status.certificate', '<certificate data>', detail)]
}
