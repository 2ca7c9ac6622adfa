// The plugins that every plane has, in upstream's order.
// Webhooks come last, after all that k3v itself fills in; policies and quota join them.

import type { AdmissionPlugin, Authorizer, Reader } from '../api/contracts.ts'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { SecurityLevel } from '../podsecurity/podsecurity.ts'
import { certificateRequester } from './certificate-requester.ts'
import { certificateApproval, certificateSubjectRestriction } from './certificates.ts'
import { defaultIngressClass, defaultStorageClass } from './default-class.ts'
import { defaultTolerations } from './default-tolerations.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { serviceAccount } from './service-account.ts'

export interface PluginParts {
  readonly reader: Reader
  readonly authorizer: Authorizer
  readonly clock: Clock
  readonly random: Random
  /** Reads the groups that a signing request (PEM) asks for; without it they are left to the signer. */
  readonly requestGroups?: ((pem: string) => readonly string[]) | undefined
  /** Throws for a signing request (PEM) that is malformed or not signed by its own key. */
  readonly checkRequest?: ((pem: string) => void) | undefined
  /** Enforced on all pods, whatever their namespace says; nothing unless said. */
  readonly podSecurityLevel?: SecurityLevel | undefined
  readonly webhooks?: { readonly mutating: AdmissionPlugin; readonly validating: AdmissionPlugin } | undefined
}

export function defaultPlugins({
  reader,
  authorizer,
  clock,
  random,
  requestGroups,
  checkRequest,
  podSecurityLevel = 'privileged',
  webhooks,
}: PluginParts): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle({ reader }),
    limitRanger({ reader }),
    serviceAccount({ reader, clock, random }),
    podSecurity({ reader, level: podSecurityLevel }),
    priority({ reader }),
    defaultTolerations(),
    defaultStorageClass({ reader }),
    certificateRequester({ clock, checkRequest }),
    certificateApproval({ authorizer }),
    ...(requestGroups === undefined ? [] : [certificateSubjectRestriction({ groupsOf: requestGroups })]),
    defaultIngressClass({ reader }),
    rbacEscalation({ reader, authorizer }),
    ...(webhooks === undefined ? [] : [webhooks.mutating, webhooks.validating]),
    // Last, so that nothing is counted that another plugin refuses.
    resourceQuota({ reader, clock }),
  ]
}
