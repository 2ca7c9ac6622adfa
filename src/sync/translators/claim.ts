// Claims for storage on the host: size and modes are the tenant's, the class is by policy.
// What a claim is bound to stays the host's.

import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
} from '../../api/models.ts'
import { ownedMetadata } from '../owner.ts'
import {
  copyNamed,
  type FieldRules,
  Findings,
  type Translation,
  type TranslationContext,
} from './translation.ts'

const ownVolume = 'a claim gets a new volume of the host'

export const claimSpecRules: FieldRules<PersistentVolumeClaimSpec> = {
  copied: ['accessModes', 'volumeMode'],
  rewritten: ['resources', 'storageClassName'],
  dropped: { volumeName: ownVolume },
  ignored: { selector: ownVolume, volumeAttributesClassName: "the host's operator decides" },
  refused: {
    dataSource: 'volumes are not made from other volumes',
    dataSourceRef: 'volumes are not made from other volumes',
  },
}

export function toHostClaim(
  claim: PersistentVolumeClaim,
  context: TranslationContext,
): Translation<PersistentVolumeClaim> {
  const findings = new Findings()
  const { namespace = '', name = '', uid = '' } = claim.metadata
  const identity = { group: '', kind: 'PersistentVolumeClaim', namespace, name, uid }
  const host: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: ownedMetadata(context.owner, identity),
    spec: toHostClaimSpec(claim.spec ?? {}, context, findings),
  }
  return { host, ignored: findings.ignored, refusals: findings.refusals }
}

export function toHostClaimSpec(
  spec: PersistentVolumeClaimSpec,
  { policy }: TranslationContext,
  findings: Findings,
): PersistentVolumeClaimSpec {
  findings.note(spec, claimSpecRules, 'spec')
  const asked = spec.storageClassName
  const isAllowed = asked !== undefined && (policy.storageClasses ?? []).includes(asked)
  if (asked !== undefined && !isAllowed && asked !== policy.defaultStorageClass)
    findings.ignored.push("spec.storageClassName (the host's operator decides)")
  const storageClassName = isAllowed ? asked : policy.defaultStorageClass
  const { requests, limits } = spec.resources ?? {}
  return {
    ...copyNamed(spec, claimSpecRules),
    resources: { ...storageOf('requests', requests), ...storageOf('limits', limits) },
    ...(storageClassName === undefined ? {} : { storageClassName }),
  }
}

const storageOf = (field: 'requests' | 'limits', amounts: Readonly<Record<string, string>> | undefined) =>
  amounts?.['storage'] === undefined ? {} : { [field]: { storage: amounts['storage'] } }

/** What the tenant sees of the host's claim. */
export function toVirtualClaimStatus(host: PersistentVolumeClaim): PersistentVolumeClaimStatus {
  const { phase, accessModes, capacity } = host.status ?? {}
  return {
    phase: phase ?? 'Pending',
    ...(accessModes === undefined ? {} : { accessModes }),
    ...(capacity === undefined ? {} : { capacity }),
  }
}
