// The restricted level: all of baseline, and what a hardened pod has to say.
// Upstream: pod-security-admission/policy, checks of level restricted, latest version.

import type { Volume } from '../api/models.ts'
import { everywhereChecks, isSeccompAllowed, seccompBaseline } from './baseline.ts'
import {
  type Check,
  containersOf,
  containersText,
  isWindows,
  plural,
  quoted,
  sortedSet,
  type VisitedContainer,
} from './check.ts'

const allowPrivilegeEscalation: Check = ({ spec }) => {
  if (isWindows(spec)) return undefined
  const bad = containersOf(spec).filter(
    ({ container }) => container.securityContext?.allowPrivilegeEscalation !== false,
  )
  if (bad.length === 0) return undefined
  return {
    check: 'allowPrivilegeEscalation',
    fields: bad.map(({ path }) => `${path}.securityContext.allowPrivilegeEscalation`),
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

const capabilities: Check = ({ spec }) => {
  if (isWindows(spec)) return undefined
  const added = ({ container }: VisitedContainer) =>
    (container.securityContext?.capabilities?.add ?? []).filter((one) => one !== 'NET_BIND_SERVICE')
  const all = containersOf(spec)
  const keeping = all.filter(
    ({ container }) => !(container.securityContext?.capabilities?.drop ?? []).includes('ALL'),
  )
  const adding = all.filter((one) => added(one).length > 0)
  const details = [
    ...(keeping.length === 0
      ? []
      : [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [
          `${containersText(adding)} must not include ${quoted(sortedSet(adding.flatMap(added)))} in securityContext.capabilities.add`,
        ]),
  ]
  if (details.length === 0) return undefined
  return {
    check: 'capabilities_restricted',
    fields: [
      ...keeping.map(({ path }) => `${path}.securityContext.capabilities.drop`),
      ...adding.map(({ path }) => `${path}.securityContext.capabilities.add`),
    ],
    reason: 'unrestricted capabilities',
    detail: details.join('; '),
  }
}

const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

const restrictedVolumes: Check = ({ spec }) => {
  const volumes = spec.volumes ?? []
  const typeOf = (volume: Volume): string =>
    Object.entries(volume).find(([field, value]) => field !== 'name' && value !== undefined)?.[0] ?? 'unknown'
  const bad = volumes.filter((volume) => !allowedVolumes.includes(typeOf(volume)))
  if (bad.length === 0) return undefined
  const types = sortedSet(bad.map(typeOf))
  const names = quoted(bad.map(({ name }) => name))
  const verb = plural('uses', 'use', bad.length)
  return {
    check: 'restrictedVolumes',
    fields: bad.map((volume) => `spec.volumes[${volumes.indexOf(volume)}].${typeOf(volume)}`),
    reason: 'restricted volume types',
    detail: `${plural('volume', 'volumes', bad.length)} ${names} ${verb} restricted volume ${plural('type', 'types', types.length)} ${quoted(types)}`,
  }
}

const runAsNonRoot: Check = ({ spec }) => {
  // Root in a user namespace of its own is not root on the node.
  if (spec.hostUsers === false) return undefined
  const podValue = spec.securityContext?.runAsNonRoot
  const settingOf = ({ container }: VisitedContainer) => container.securityContext?.runAsNonRoot
  const all = containersOf(spec)
  const saying = all.filter((one) => settingOf(one) === false)
  const setters = [
    ...(podValue === false ? ['pod'] : []),
    ...(saying.length === 0 ? [] : [containersText(saying)]),
  ]
  const field = 'securityContext.runAsNonRoot'
  const reason = 'runAsNonRoot != true'
  if (setters.length > 0) {
    return {
      check: 'runAsNonRoot',
      fields: [
        ...(podValue === false ? [`spec.${field}`] : []),
        ...saying.map(({ path }) => `${path}.${field}`),
      ],
      reason,
      detail: `${setters.join(' and ')} must not set ${field}=false`,
    }
  }
  const silent = podValue === true ? [] : all.filter((one) => settingOf(one) === undefined)
  if (silent.length === 0) return undefined
  return {
    check: 'runAsNonRoot',
    fields: silent.map(({ path }) => `${path}.${field}`),
    reason,
    detail: `pod or ${containersText(silent)} must set ${field}=true`,
  }
}

const runAsUser: Check = ({ spec }) => {
  if (spec.hostUsers === false) return undefined
  const isPodRoot = spec.securityContext?.runAsUser === 0
  const bad = containersOf(spec).filter(({ container }) => container.securityContext?.runAsUser === 0)
  if (!isPodRoot && bad.length === 0) return undefined
  const setters = [...(isPodRoot ? ['pod'] : []), ...(bad.length === 0 ? [] : [containersText(bad)])]
  return {
    check: 'runAsUser',
    fields: [
      ...(isPodRoot ? ['spec.securityContext.runAsUser'] : []),
      ...bad.map(({ path }) => `${path}.securityContext.runAsUser`),
    ],
    reason: 'runAsUser=0',
    detail: `${setters.join(' and ')} must not set runAsUser=0`,
  }
}

const seccomp: Check = (pod) => {
  const { spec } = pod
  if (isWindows(spec)) return undefined
  const named = seccompBaseline(pod)
  if (named !== undefined) return { ...named, check: 'seccompProfile_restricted' }
  const podType = spec.securityContext?.seccompProfile?.type
  if (podType !== undefined && isSeccompAllowed(podType)) return undefined
  const silent = containersOf(spec).filter(
    ({ container }) => container.securityContext?.seccompProfile === undefined,
  )
  if (silent.length === 0) return undefined
  const field = 'securityContext.seccompProfile.type'
  return {
    check: 'seccompProfile_restricted',
    fields: silent.map(({ path }) => `${path}.${field}`),
    reason: 'seccompProfile',
    detail: `pod or ${containersText(silent)} must set ${field} to "RuntimeDefault" or "Localhost"`,
  }
}

export const restrictedChecks: readonly Check[] = [
  ...everywhereChecks,
  allowPrivilegeEscalation,
  capabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccomp,
]
