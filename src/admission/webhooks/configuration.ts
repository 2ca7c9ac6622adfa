// Webhook configurations as they are stored -> the webhooks of one sort in the order in which they are called.
// Whom a webhook is called for is match.ts's; the objects were validated when they were written.

import type { Reader } from '../../api/contracts.ts'
import type { Json, KubeObject } from '../../api/object.ts'
import {
  everything,
  fromLabelSelectorObject,
  type LabelSelector,
  type LabelSelectorObject,
} from '../../api/select.ts'
import type { StoredObject } from '../../api/stored.ts'
import {
  type Condition,
  type ConditionInput,
  type ConditionOutcome,
  prepareConditions,
} from '../../cel/match-conditions.ts'
import type { WebhookClientConfig } from '../../egress/webhook.ts'

export const webhookGroup = 'admissionregistration.k8s.io'

export interface Rule {
  readonly operations: readonly string[]
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly scope: string
}

export interface Webhook {
  /** Of this webhook among all, for what is remembered about it. */
  readonly id: string
  readonly name: string
  readonly clientConfig: WebhookClientConfig
  readonly rules: readonly Rule[]
  readonly isExact: boolean
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
  readonly failsOpen: boolean
  readonly hasSideEffects: boolean
  readonly timeoutMs: number
  readonly reviewVersion: 'v1' | 'v1beta1'
  readonly isReinvoked: boolean
  /** Absent: it is always asked about what it matches. */
  readonly conditions?: ((input: ConditionInput) => ConditionOutcome) | undefined
}

export const webhookSorts = ['mutating', 'validating'] as const
export type WebhookSort = (typeof webhookSorts)[number]

/** Sorted by the name of their configuration; within one, as written. */
export function webhooksOf(reader: Reader, sort: WebhookSort): readonly Webhook[] {
  const stored = reader.list({ group: webhookGroup, resource: `${sort}webhookconfigurations` })
  if (stored.length === 0) return []
  return stored
    .toSorted((one, other) => (one.header.name < other.header.name ? -1 : 1))
    .flatMap((configuration) => readOnce(configuration))
}

const known = new WeakMap<StoredObject, readonly Webhook[]>()

function readOnce(stored: StoredObject): readonly Webhook[] {
  const before = known.get(stored)
  if (before !== undefined) return before
  const webhooks = read(stored.object)
  known.set(stored, webhooks)
  return webhooks
}

type Written = Partial<Record<string, Json>>

function read(configuration: KubeObject): readonly Webhook[] {
  const webhooks = (configuration['webhooks'] ?? []) as readonly Written[]
  const count = new Map<string, number>()
  return webhooks.map((webhook) => {
    const name = textOf(webhook['name'])
    const index = count.get(name) ?? 0
    count.set(name, index + 1)
    const versions = (webhook['admissionReviewVersions'] ?? []) as readonly string[]
    return {
      id: `${configuration.metadata.name}/${name}/${index}`,
      name,
      clientConfig: (webhook['clientConfig'] ?? {}) as WebhookClientConfig,
      rules: ((webhook['rules'] ?? []) as readonly Written[]).map(readRule),
      isExact: webhook['matchPolicy'] === 'Exact',
      namespaceSelector: selectorOf(webhook['namespaceSelector']),
      objectSelector: selectorOf(webhook['objectSelector']),
      failsOpen: webhook['failurePolicy'] === 'Ignore',
      hasSideEffects: webhook['sideEffects'] !== 'None' && webhook['sideEffects'] !== 'NoneOnDryRun',
      timeoutMs: 1_000 * (typeof webhook['timeoutSeconds'] === 'number' ? webhook['timeoutSeconds'] : 10),
      // The first that both sides know.
      reviewVersion: versions.find((version) => version === 'v1' || version === 'v1beta1') ?? 'v1',
      isReinvoked: webhook['reinvocationPolicy'] === 'IfNeeded',
      conditions: conditionsOf(webhook['matchConditions']),
    }
  })
}

function conditionsOf(written: Json | undefined): Webhook['conditions'] {
  if (!Array.isArray(written) || written.length === 0) return undefined
  return prepareConditions(written as unknown as readonly Condition[])
}

function readRule(rule: Written): Rule {
  const list = (name: string): readonly string[] => (rule[name] ?? []) as readonly string[]
  return {
    operations: list('operations'),
    apiGroups: list('apiGroups'),
    apiVersions: list('apiVersions'),
    resources: list('resources'),
    scope: textOf(rule['scope']) || '*',
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const selectorOf = (selector: Json | undefined): LabelSelector =>
  selector === undefined || selector === null
    ? everything
    : fromLabelSelectorObject(selector as unknown as LabelSelectorObject)
