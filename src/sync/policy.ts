// What the host's operator decides for all pods of a plane; tenants decide none of it.
// How each value is used stands in the translators.

import type { Toleration } from '../api/models.ts'
import type { SecurityLevel } from '../podsecurity/podsecurity.ts'

export interface SyncPolicy {
  /** Judged on each pod just before it is written to the host. */
  readonly podSecurity: SecurityLevel
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined
  readonly tolerations?: readonly Toleration[] | undefined
  readonly priorityClassName?: string | undefined
  readonly runtimeClassName?: string | undefined
  /** Classes that claims may name; '' allows claims without a class. */
  readonly storageClasses?: readonly string[] | undefined
  /** Given to claims whose class is not allowed; absent: the host's own default. */
  readonly defaultStorageClass?: string | undefined
  /** Annotation keys that go to the host as they are; none unless said. */
  readonly podAnnotations?: readonly string[] | undefined
  /**
   * `single`: one permanent node stands for the whole host. `seen`: one for each node that a pod of this plane runs
   * on; a DaemonSet then places a pod for each of them, but where the host's scheduler likes.
   */
  readonly nodes?: 'single' | 'seen' | undefined
}

export const defaultPolicy: SyncPolicy = { podSecurity: 'baseline' }
