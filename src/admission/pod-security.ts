// PodSecurity: pods are held to the operator's level and to the one that their namespace's labels ask for.
// Upstream: k8s.io/pod-security-admission/admission. What the levels forbid is podsecurity/'s.

import type { AdmissionPlugin, AdmissionRequest, Reader } from '../api/contracts.ts'
import type { Pod } from '../api/models.ts'
import type { KubeObject } from '../api/object.ts'
import { type FieldError, fieldInvalid, invalid } from '../api/status.ts'
import { judgePod, type SecurityLevel, securityLevels, violationText } from '../podsecurity/podsecurity.ts'
import { isSignificantChange, isTemplateOf, type PodPart, templateIn } from './pod-template.ts'
import { refuse } from './refuse.ts'

export interface PodSecurityParts {
  readonly reader: Reader
  /** What the operator enforces everywhere, whatever a namespace says. */
  readonly level: SecurityLevel
}

const prefix = 'pod-security.kubernetes.io/'
const namespaces = { group: '', resource: 'namespaces' }
const pods = { group: '', resource: 'pods' }
/** How many pods of a namespace are looked at when its level changes. Upstream: 3,000. */
const podsJudgedMax = 3_000
const podSubresources: ReadonlySet<string> = new Set(['', 'ephemeralcontainers', 'resize'])

interface Policy {
  readonly level: SecurityLevel
  /** `restricted:latest`, the version as the label has it; judged is the latest. */
  readonly text: string
}

export function podSecurity({ reader, level }: PodSecurityParts): AdmissionPlugin {
  const operator: Policy = { level, text: `${level}:latest` }
  return {
    name: 'PodSecurity',
    validate: async (request) => {
      const { operation, object, resource } = request
      if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      if (resource.group === '' && resource.resource === 'namespaces') judgeNamespace(reader, request, object)
      else if (resource.group === '' && resource.resource === 'pods')
        judge(reader, request, { object, operator })
      else if (isTemplateOf(resource)) warnOfTemplate(reader, request, { object, operator })
    },
  }
}

interface Judged {
  readonly object: KubeObject
  readonly operator: Policy
}

function judge(reader: Reader, request: AdmissionRequest, { object, operator }: Judged): void {
  if (!podSubresources.has(request.subresource)) return
  if (request.old !== undefined && !isSignificantChange(object, request.old)) return
  const labels = labelsOf(reader, request.namespace)
  for (const policy of [operator, policyOf(labels, 'enforce')]) {
    const violations = judgePod(object as unknown as Pod, policy.level)
    if (violations.length > 0) throw refuse(request, textOf(violations, policy))
  }
  warn(request, object as unknown as PodPart, [policyOf(labels, 'warn')])
}

/** A workload is not refused: its pods will be, and its author is told now. */
function warnOfTemplate(reader: Reader, request: AdmissionRequest, { object, operator }: Judged): void {
  if (request.subresource !== '') return
  const template = templateIn(object, request.resource)
  if (template === undefined) return
  const before = request.old === undefined ? undefined : templateIn(request.old, request.resource)
  if (before !== undefined && JSON.stringify(before) === JSON.stringify(template)) return
  const labels = labelsOf(reader, request.namespace)
  warn(request, template, [operator, policyOf(labels, 'warn')])
}

function warn(request: AdmissionRequest, pod: PodPart, policies: readonly Policy[]): void {
  for (const policy of policies) {
    const violations = judgePod(pod as unknown as Pod, policy.level)
    if (violations.length === 0) continue
    request.warn(textOf(violations, policy).replace('violates', 'would violate'))
    return
  }
}

const textOf = (violations: Parameters<typeof violationText>[0], { level, text }: Policy): string =>
  violationText(violations, level).replace(`"${level}:latest"`, JSON.stringify(text))

type Labels = Readonly<Record<string, string>>

const labelsOf = (reader: Reader, namespace: string): Labels =>
  reader.get(namespaces, '', namespace)?.header.labels ?? {}

/** A label that cannot be read enforces the strictest level and warns of nothing, as upstream. */
function policyOf(labels: Labels, mode: 'enforce' | 'warn'): Policy {
  const value = labels[`${prefix}${mode}`]
  const version = labels[`${prefix}${mode}-version`] ?? 'latest'
  const level = securityLevels.find((one) => one === value)
  const fallback = value !== undefined && mode === 'enforce' ? 'restricted' : 'privileged'
  return { level: level ?? fallback, text: `${level ?? fallback}:${version}` }
}

function judgeNamespace(reader: Reader, request: AdmissionRequest, object: KubeObject): void {
  if (request.subresource !== '') return
  const { labels = {}, name = '' } = object.metadata
  const before = request.old?.metadata.labels ?? {}
  const errors = labelErrors(labels).filter(({ key }) => labels[key] !== before[key])
  if (errors.length > 0)
    throw invalid(
      request.kind,
      name,
      errors.map(({ error }) => error),
    )
  const policy = policyOf(labels, 'enforce')
  const old = policyOf(before, 'enforce')
  if (request.old === undefined || policy.text === old.text || policy.level === 'privileged') return
  if (securityLevels.indexOf(policy.level) < securityLevels.indexOf(old.level)) return
  for (const warning of existingWarnings(reader, name, policy)) request.warn(warning)
}

function labelErrors(labels: Labels): readonly { readonly key: string; readonly error: FieldError }[] {
  return ['enforce', 'audit', 'warn'].flatMap((mode) => {
    const key = `${prefix}${mode}`
    const check = (at: string, isGood: (value: string) => boolean, detail: string) => {
      const value = labels[at]
      if (value === undefined || isGood(value)) return []
      return [{ key: at, error: fieldInvalid(`metadata.labels[${at}]`, value, detail) }]
    }
    return [
      ...check(
        key,
        (value) => (securityLevels as readonly string[]).includes(value),
        `must be one of ${securityLevels.join(', ')}`,
      ),
      ...check(
        `${key}-version`,
        (value) => value === 'latest' || /^v1\.([0-9]|[1-9][0-9]*)$/.test(value),
        'must be "latest" or "v1.x"',
      ),
    ]
  })
}

function existingWarnings(reader: Reader, namespace: string, policy: Policy): readonly string[] {
  const byReason = new Map<string, string[]>()
  for (const { object } of reader.list(pods, namespace).slice(0, podsJudgedMax)) {
    const violations = judgePod(object as unknown as Pod, policy.level)
    if (violations.length === 0) continue
    const reason = violations.map((violation) => violation.reason).join(', ')
    byReason.set(reason, [...(byReason.get(reason) ?? []), object.metadata.name ?? ''])
  }
  if (byReason.size === 0) return []
  const lines = [...byReason].map(([reason, names]) => `${podsText(names)}: ${reason}`)
  const title = `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(policy.text)}`
  return [title, ...lines.sort()]
}

function podsText(names: readonly string[]): string {
  const [first = ''] = names.toSorted()
  if (names.length === 1) return first
  return `${first} (and ${names.length - 1} other ${names.length === 2 ? 'pod' : 'pods'})`
}
