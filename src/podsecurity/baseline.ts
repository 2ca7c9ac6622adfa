// The baseline level: what lets a pod out of its container by known ways is forbidden.
// Upstream: pod-security-admission/policy, checks of level baseline, latest version, in the order of their names.

import type { LifecycleHandler, Probe, SELinuxOptions } from '../api/models.ts'
import {
  type Check,
  containersOf,
  containersText,
  plural,
  quoted,
  sortedSet,
  type VisitedContainer,
} from './check.ts'

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

const appArmorProfile: Check = ({ spec, annotations }) => {
  const fields: string[] = []
  const setters: string[] = []
  const values: string[] = []
  const isBad = (type: string | undefined): type is string =>
    type !== undefined && !['', 'Localhost', 'RuntimeDefault'].includes(type)
  const podType = spec.securityContext?.appArmorProfile?.type
  if (isBad(podType)) {
    setters.push('pod')
    values.push(podType)
    fields.push('spec.securityContext.appArmorProfile.type')
  }
  const bad = containersOf(spec).filter(({ container }) =>
    isBad(container.securityContext?.appArmorProfile?.type),
  )
  if (bad.length > 0) setters.push(containersText(bad))
  for (const { container, path } of bad) {
    values.push(container.securityContext?.appArmorProfile?.type ?? '')
    fields.push(`${path}.securityContext.appArmorProfile.type`)
  }
  const isGood = (value: string) => ['', 'runtime/default'].includes(value) || value.startsWith('localhost/')
  const keys = Object.keys(annotations)
    .filter((key) => key.startsWith(appArmorPrefix) && !isGood(annotations[key] ?? ''))
    .sort()
  const details = [
    ...(setters.length === 0
      ? []
      : [`${setters.join(' and ')} must not set AppArmor profile type to ${quoted(sortedSet(values))}`]),
    ...(keys.length === 0
      ? []
      : [
          `${plural('annotation', 'annotations', keys.length)} ${keys.map((key) => `"${key}=${annotations[key]}"`).join(', ')}`,
        ]),
  ]
  if (details.length === 0) return undefined
  const count = setters.length + keys.length
  return {
    check: 'appArmorProfile',
    fields: [...fields, ...keys.map((key) => `metadata.annotations[${key}]`)],
    reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', count),
    detail: details.join(' and '),
  }
}

const defaultCapabilities = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
])

export const capabilitiesBaseline: Check = ({ spec }) => {
  const extra = ({ container }: VisitedContainer) =>
    (container.securityContext?.capabilities?.add ?? []).filter((one) => !defaultCapabilities.has(one))
  const bad = containersOf(spec).filter((one) => extra(one).length > 0)
  if (bad.length === 0) return undefined
  const names = sortedSet(bad.flatMap(extra))
  return {
    check: 'capabilities_baseline',
    fields: bad.map(({ path }) => `${path}.securityContext.capabilities.add`),
    reason: 'non-default capabilities',
    detail: `${containersText(bad)} must not include ${quoted(names)} in securityContext.capabilities.add`,
  }
}

const hostNamespaces: Check = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true)
  if (shared.length === 0) return undefined
  return {
    check: 'hostNamespaces',
    fields: shared.map((field) => `spec.${field}`),
    reason: 'host namespaces',
    detail: shared.map((field) => `${field}=true`).join(', '),
  }
}

export const hostPathVolumes: Check = ({ spec }) => {
  const volumes = spec.volumes ?? []
  const bad = volumes.filter(({ hostPath }) => hostPath !== undefined)
  if (bad.length === 0) return undefined
  return {
    check: 'hostPathVolumes',
    fields: bad.map((volume) => `spec.volumes[${volumes.indexOf(volume)}].hostPath`),
    reason: 'hostPath volumes',
    detail: `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))}`,
  }
}

const hostPorts: Check = ({ spec }) => {
  const portsOf = ({ container }: VisitedContainer) =>
    (container.ports ?? []).map(({ hostPort = 0 }) => hostPort).filter((port) => port !== 0)
  const bad = containersOf(spec).filter((one) => portsOf(one).length > 0)
  if (bad.length === 0) return undefined
  const ports = sortedSet(bad.flatMap(portsOf).map(String))
  const verb = plural('uses', 'use', bad.length)
  return {
    check: 'hostPorts',
    fields: bad.map(({ path }) => `${path}.ports[*].hostPort`),
    reason: 'hostPort',
    detail: `${containersText(bad)} ${verb} ${plural('hostPort', 'hostPorts', ports.length)} ${ports.join(', ')}`,
  }
}

const hostProbes: Check = ({ spec }) => {
  const hostsOf = ({ container }: VisitedContainer): readonly string[] =>
    [
      container.livenessProbe,
      container.readinessProbe,
      container.startupProbe,
      container.lifecycle?.postStart,
      container.lifecycle?.preStop,
    ].flatMap((one: Probe | LifecycleHandler | undefined) =>
      [one?.httpGet?.host, one?.tcpSocket?.host].filter((host) => host !== undefined && host !== ''),
    ) as readonly string[]
  const bad = containersOf(spec).filter((one) => hostsOf(one).length > 0)
  if (bad.length === 0) return undefined
  const hosts = sortedSet(bad.flatMap(hostsOf))
  const verb = plural('uses', 'use', bad.length)
  const what = plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length)
  return {
    check: 'hostProbesAndHostLifecycle',
    fields: bad.map(({ path }) => path),
    reason: 'probe or lifecycle host',
    detail: `${containersText(bad)} ${verb} ${what} ${quoted(hosts)}`,
  }
}

const privileged: Check = ({ spec }) => {
  const bad = containersOf(spec).filter(({ container }) => container.securityContext?.privileged === true)
  if (bad.length === 0) return undefined
  return {
    check: 'privileged',
    fields: bad.map(({ path }) => `${path}.securityContext.privileged`),
    reason: 'privileged',
    detail: `${containersText(bad)} must not set securityContext.privileged=true`,
  }
}

const procMount: Check = ({ spec }) => {
  // A pod in a user namespace of its own may see more of /proc: it is not the host's root there.
  if (spec.hostUsers === false) return undefined
  const settingOf = ({ container }: VisitedContainer) => container.securityContext?.procMount ?? 'Default'
  const bad = containersOf(spec).filter((one) => settingOf(one) !== 'Default')
  if (bad.length === 0) return undefined
  return {
    check: 'procMount',
    fields: bad.map(({ path }) => `${path}.securityContext.procMount`),
    reason: 'procMount',
    detail: `${containersText(bad)} must not set securityContext.procMount to ${quoted(sortedSet(bad.map(settingOf)))}`,
  }
}

const allowedSeLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']

const seLinuxOptions: Check = ({ spec }) => {
  const isBad = (options: SELinuxOptions | undefined): options is SELinuxOptions =>
    options !== undefined &&
    (!allowedSeLinuxTypes.includes(options.type ?? '') ||
      (options.user ?? '') !== '' ||
      (options.role ?? '') !== '')
  const podOptions = spec.securityContext?.seLinuxOptions
  const bad = containersOf(spec).filter(({ container }) => isBad(container.securityContext?.seLinuxOptions))
  const isPodBad = isBad(podOptions)
  if (!isPodBad && bad.length === 0) return undefined
  const options = [
    ...(isPodBad ? [podOptions] : []),
    ...bad.map(({ container }) => container.securityContext?.seLinuxOptions ?? {}),
  ]
  const types = sortedSet(options.map(({ type = '' }) => type)).filter(
    (type) => !allowedSeLinuxTypes.includes(type),
  )
  const problems = [
    ...(types.length === 0 ? [] : [`${plural('type', 'types', types.length)} ${quoted(types)}`]),
    ...(options.some(({ user = '' }) => user !== '') ? ['user may not be set'] : []),
    ...(options.some(({ role = '' }) => role !== '') ? ['role may not be set'] : []),
  ]
  const setters = [...(isPodBad ? ['pod'] : []), ...(bad.length === 0 ? [] : [containersText(bad)])]
  return {
    check: 'seLinuxOptions',
    fields: [
      ...(isPodBad ? ['spec.securityContext.seLinuxOptions'] : []),
      ...bad.map(({ path }) => `${path}.securityContext.seLinuxOptions`),
    ],
    reason: 'seLinuxOptions',
    detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${problems.join('; ')}`,
  }
}

export const isSeccompAllowed = (type: string): boolean => ['Localhost', 'RuntimeDefault'].includes(type)

/** Profiles that were named and are not allowed; the restricted level asks for one besides. */
export const seccompBaseline: Check = ({ spec }) => {
  const podType = spec.securityContext?.seccompProfile?.type
  const isPodBad = podType !== undefined && !isSeccompAllowed(podType)
  const typeOf = ({ container }: VisitedContainer) => container.securityContext?.seccompProfile?.type
  const bad = containersOf(spec).filter((one) => {
    const type = typeOf(one)
    return type !== undefined && !isSeccompAllowed(type)
  })
  if (!isPodBad && bad.length === 0) return undefined
  const values = sortedSet([...(isPodBad ? [podType] : []), ...bad.map((one) => typeOf(one) ?? '')])
  const setters = [...(isPodBad ? ['pod'] : []), ...(bad.length === 0 ? [] : [containersText(bad)])]
  return {
    check: 'seccompProfile_baseline',
    fields: [
      ...(isPodBad ? ['spec.securityContext.seccompProfile.type'] : []),
      ...bad.map(({ path }) => `${path}.securityContext.seccompProfile.type`),
    ],
    reason: 'seccompProfile',
    detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  }
}

const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
])

const sysctls: Check = ({ spec }) => {
  const bad = (spec.securityContext?.sysctls ?? []).filter(({ name }) => !safeSysctls.has(name))
  if (bad.length === 0) return undefined
  return {
    check: 'sysctls',
    fields: ['spec.securityContext.sysctls'],
    reason: 'forbidden sysctls',
    detail: bad.map(({ name }) => name).join(', '),
  }
}

const windowsHostProcess: Check = ({ spec }) => {
  const isPodBad = spec.securityContext?.windowsOptions?.hostProcess === true
  const bad = containersOf(spec).filter(
    ({ container }) => container.securityContext?.windowsOptions?.hostProcess === true,
  )
  if (!isPodBad && bad.length === 0) return undefined
  const setters = [...(isPodBad ? ['pod'] : []), ...(bad.length === 0 ? [] : [containersText(bad)])]
  return {
    check: 'windowsHostProcess',
    fields: [
      ...(isPodBad ? ['spec.securityContext.windowsOptions.hostProcess'] : []),
      ...bad.map(({ path }) => `${path}.securityContext.windowsOptions.hostProcess`),
    ],
    reason: 'hostProcess',
    detail: `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
  }
}

/** Those that the restricted level asks for too; the three others it has stricter forms of. */
export const everywhereChecks: readonly Check[] = [
  appArmorProfile,
  hostNamespaces,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  sysctls,
  windowsHostProcess,
]

export const baselineChecks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
]
