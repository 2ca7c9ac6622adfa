// What the host objects of a release are made from, and whose they are.
// Making them is manifests.ts's and plane-set.ts's.

import type { PolicyRule } from '../../api/contracts.ts'
import type { Pointer } from '../pointer.ts'
import type { ReleaseNames } from '../release-names.ts'

export interface HostOptions {
  readonly names: ReleaseNames
  readonly namespace: string
  readonly pointer: Pointer
  /** What templates/start.mjs holds. */
  readonly bootScript: string
  /** The plane's Role. */
  readonly rules: readonly PolicyRule[]
  readonly image: string
  readonly memory: string
  readonly storage: string
}

export interface Root {
  readonly name: string
  readonly uid: string
}

export const ownedBy = ({ name, uid }: Root) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid })
