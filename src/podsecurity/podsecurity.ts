// The Pod Security Standards: what a pod must not ask for at a level, each violation with its field.
// Upstream: k8s.io/pod-security-admission/policy, latest version. Where and when pods are judged is the caller's.

import type { Pod } from '../api/models.ts'
import { baselineChecks } from './baseline.ts'
import type { Violation } from './check.ts'
import { restrictedChecks } from './restricted.ts'

export const securityLevels = ['privileged', 'baseline', 'restricted'] as const
export type SecurityLevel = (typeof securityLevels)[number]

/** Judges a pod, or a pod template: `metadata` holds its annotations. An empty answer: it may run. */
export function judgePod(pod: Pick<Pod, 'metadata' | 'spec'>, level: SecurityLevel): readonly Violation[] {
  if (level === 'privileged' || pod.spec === undefined) return []
  const checks = level === 'baseline' ? baselineChecks : restrictedChecks
  const { spec, metadata } = pod
  return checks.flatMap((check) => check({ spec, annotations: metadata.annotations ?? {} }) ?? [])
}

/** `violates PodSecurity "baseline:latest": …`, as upstream's admission says it. */
export function violationText(violations: readonly Violation[], level: SecurityLevel): string {
  const reasons = violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`))
  return `violates PodSecurity "${level}:latest": ${reasons.join(', ')}`
}
