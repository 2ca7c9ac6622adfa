// What a plane needs on its host, as data: the Role is made of it, and tests compare it with what was asked.
// Tiers are granted whole; extras each by name. Nothing here is cluster-wide.

import type { PolicyRule } from '../api/models.ts'

/** Resources of the plane that have copies on the host; their removals leave tombstones. */
export const syncedResources = [
  { group: '', resource: 'pods' },
  { group: '', resource: 'services' },
  { group: '', resource: 'configmaps' },
  { group: '', resource: 'secrets' },
  { group: '', resource: 'persistentvolumeclaims' },
] as const

const everything = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
const reading = ['get', 'list', 'watch']

const rule = (resources: readonly string[], verbs: readonly string[], apiGroup = ''): PolicyRule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
})

/** What every plane needs. */
export const coreRules: readonly PolicyRule[] = [
  rule(
    syncedResources.map(({ resource }) => resource),
    everything,
  ),
  rule(['endpoints'], reading),
]

/** Logs, exec, attach and port-forward through the plane. */
export const interactiveRules: readonly PolicyRule[] = [
  rule(['pods/log'], ['get']),
  rule(['pods/attach', 'pods/exec', 'pods/portforward'], ['create', 'get']),
]

/** Each is asked for by its name. */
export const extraRules = {
  endpoints: [rule(['endpoints'], everything)],
  'ephemeral-containers': [rule(['pods/ephemeralcontainers'], ['get', 'patch', 'update'])],
  resize: [rule(['pods/resize'], ['get', 'patch', 'update'])],
  events: [rule(['events'], reading)],
  ingresses: [rule(['ingresses'], everything, 'networking.k8s.io')],
  'network-policies': [rule(['networkpolicies'], everything, 'networking.k8s.io')],
  'disruption-budgets': [rule(['poddisruptionbudgets'], everything, 'policy')],
  metrics: [rule(['pods'], ['get', 'list'], 'metrics.k8s.io')],
} as const satisfies Readonly<Record<string, readonly PolicyRule[]>>

export type ExtraRight = keyof typeof extraRules

/** The rules of a release's Role. */
export function roleRules({
  isInteractive = true,
  extras = [],
}: {
  readonly isInteractive?: boolean | undefined
  readonly extras?: readonly ExtraRight[] | undefined
} = {}): readonly PolicyRule[] {
  return [
    ...coreRules,
    ...(isInteractive ? interactiveRules : []),
    ...extras.flatMap((extra) => extraRules[extra]),
  ]
}
