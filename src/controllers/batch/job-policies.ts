// What a job's policies say: of a failed pod, and of the indexes that succeeded. Pure.
// Upstream: pkg/controller/job, pod_failure_policy.go and success_policy.go.

import type {
  ContainerStatus,
  Pod,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from '../../api/models.ts'
import { countCommon, countIndexes, type Indexes, parseIndexes } from './indexes.ts'

export interface FailureMatch {
  /** Counts towards the backoff limits. */
  readonly isCounted: boolean
  readonly action?: 'Count' | 'FailIndex' | 'FailJob' | 'Ignore' | undefined
  /** Why the whole job fails. */
  readonly failJobMessage?: string | undefined
}

/** The first rule that matches decides; without one the failure counts. */
export function matchFailurePolicy(policy: PodFailurePolicy | undefined, pod: Pod): FailureMatch {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const found = evidence(rule, pod)
    if (found === undefined) continue
    switch (rule.action) {
      case 'Ignore':
        return { isCounted: false, action: 'Ignore' }
      case 'Count':
      case 'FailIndex':
        return { isCounted: true, action: rule.action }
      case 'FailJob':
        return {
          isCounted: true,
          action: 'FailJob',
          failJobMessage: `${found} matching ${rule.action} rule at index ${index}`,
        }
    }
  }
  return { isCounted: true }
}

/** What of the pod matches a rule, in words. */
function evidence(rule: PodFailurePolicyRule, { metadata, status }: Pod): string | undefined {
  const pod = `${metadata.namespace}/${metadata.name}`
  if (rule.onExitCodes !== undefined) {
    const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]
    const found = statuses.find((one) => matchesExit(one, rule.onExitCodes))
    if (found === undefined) return undefined
    return `Container ${found.name} for pod ${pod} failed with exit code ${found.state?.terminated?.exitCode}`
  }
  const condition = status?.conditions?.find((one) =>
    rule.onPodConditions?.some((pattern) => pattern.type === one.type && pattern.status === one.status),
  )
  return condition === undefined ? undefined : `Pod ${pod} has condition ${condition.type}`
}

function matchesExit(
  { name, state }: ContainerStatus,
  wanted: PodFailurePolicyOnExitCodesRequirement | undefined,
): boolean {
  const code = state?.terminated?.exitCode ?? 0
  if (wanted === undefined || code === 0) return false
  if (wanted.containerName !== undefined && wanted.containerName !== name) return false
  if (wanted.operator === 'In') return wanted.values.includes(code)
  return wanted.operator === 'NotIn' && !wanted.values.includes(code)
}

/** The first rule that is met, in words; undefined while none is. */
export function matchSuccessPolicy(
  policy: SuccessPolicy | undefined,
  succeeded: Indexes,
  completions: number,
): string | undefined {
  if (policy === undefined || succeeded.length === 0) return undefined
  const index = policy.rules.findIndex((rule) => isRuleMet(rule, succeeded, completions))
  return index === -1 ? undefined : `Matched rules at index ${index}`
}

function isRuleMet(rule: SuccessPolicyRule, succeeded: Indexes, completions: number): boolean {
  const { succeededIndexes, succeededCount } = rule
  if (succeededIndexes === undefined)
    return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount
  const wanted = parseIndexes(succeededIndexes, completions)
  if (wanted.length === 0) return false
  const common = countCommon(wanted, succeeded)
  return common === countIndexes(wanted) || (succeededCount !== undefined && common >= succeededCount)
}
