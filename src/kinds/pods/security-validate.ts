// The rules for security contexts of pods and containers. What is safe enough is podsecurity's question, not theirs.
// Upstream: ValidateSecurityContext, validatePodSpecSecurityContext.

import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, listOf, numberOf, textOf, textsOf } from '../fields.ts'
import { checkRange, checkRelativePath, int32Max, whenPresent } from '../rules.ts'

type Errors = readonly FieldError[]

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

export function checkContainerSecurity(context: Fields, path: string, hostUsers: boolean): Errors {
  return [
    ...checkIds(context, ['runAsUser', 'runAsGroup'], path),
    ...checkProcMount(context['procMount'], `${path}.procMount`, hostUsers),
    ...checkSeccomp(context['seccompProfile'], `${path}.seccompProfile`),
    ...checkEscalation(context, path),
    ...checkAppArmor(context['appArmorProfile'], `${path}.appArmorProfile`),
  ]
}

function checkIds(context: Fields, names: readonly string[], path: string): Errors {
  return names.flatMap((name) =>
    whenPresent(context[name], () => checkRange(numberOf(context[name]), 0, int32Max, `${path}.${name}`)),
  )
}

function checkProcMount(type: unknown, path: string, hostUsers: boolean): Errors {
  if (!isPresent(type)) return []
  const types = ['Default', 'Unmasked']
  const errors = types.includes(textOf(type)) ? [] : [fieldNotSupported(path, type, types)]
  if (!hostUsers || type !== 'Unmasked') return errors
  return [...errors, fieldInvalid(path, type, '`hostUsers` must be false to use `Unmasked`')]
}

function checkSeccomp(value: unknown, path: string): Errors {
  if (!isPresent(value)) return []
  const profile = fieldsOf(value)
  const { type, localhostProfile } = {
    type: textOf(profile['type']),
    localhostProfile: profile['localhostProfile'],
  }
  const errors: FieldError[] = []
  if (type === '') errors.push(fieldRequired(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!profileTypes.includes(type)) errors.push(fieldNotSupported(`${path}.type`, type, profileTypes))
  const localPath = `${path}.localhostProfile`
  if (type !== 'Localhost') {
    if (!isPresent(localhostProfile)) return errors
    return [...errors, fieldInvalid(localPath, profile, 'can only be set when seccomp type is Localhost')]
  }
  if (isPresent(localhostProfile))
    return [...errors, ...checkRelativePath(textOf(localhostProfile), localPath)]
  return [...errors, fieldRequired(localPath, 'must be set when seccomp type is Localhost')]
}

function checkAppArmor(value: unknown, path: string): Errors {
  if (!isPresent(value)) return []
  const profile = fieldsOf(value)
  const type = textOf(profile['type'])
  const local = profile['localhostProfile']
  const localPath = `${path}.localhostProfile`
  if (type === '') return [fieldRequired(`${path}.type`, 'type is required when appArmorProfile is set')]
  if (!profileTypes.includes(type)) return [fieldNotSupported(`${path}.type`, type, profileTypes)]
  if (type !== 'Localhost') {
    return isPresent(local)
      ? [fieldInvalid(localPath, local, 'can only be set when AppArmor type is Localhost')]
      : []
  }
  const name = textOf(local)
  if (name.trim() !== name) return [fieldInvalid(localPath, name, 'must not be padded with whitespace')]
  return name === '' ? [fieldRequired(localPath, 'must be set when AppArmor type is Localhost')] : []
}

function checkEscalation(context: Fields, path: string): Errors {
  if (context['allowPrivilegeEscalation'] !== false) return []
  const errors: FieldError[] = []
  if (context['privileged'] === true) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
    errors.push(fieldInvalid(path, context, detail))
  }
  if (textsOf(fieldsOf(context['capabilities'])['add']).includes('CAP_SYS_ADMIN')) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
    errors.push(fieldInvalid(path, context, detail))
  }
  return errors
}

export function checkPodSecurity(spec: Fields, path: string): Errors {
  const context = fieldsOf(spec['securityContext'])
  const isSharing = spec['shareProcessNamespace'] === true && spec['hostPID'] === true
  const sharing = 'ShareProcessNamespace and HostPID cannot both be enabled'
  return [
    ...checkIds(context, ['fsGroup', 'runAsUser', 'runAsGroup'], path),
    ...listOf(context['supplementalGroups']).flatMap((group, index) =>
      checkRange(numberOf(group), 0, int32Max, `${path}.supplementalGroups[${index}]`),
    ),
    ...(isSharing ? [fieldInvalid(`${path}.shareProcessNamespace`, true, sharing)] : []),
    ...checkSysctls(itemsOf(context['sysctls']), spec, `${path}.sysctls`),
    ...checkSeccomp(context['seccompProfile'], `${path}.seccompProfile`),
    ...checkAppArmor(context['appArmorProfile'], `${path}.appArmorProfile`),
  ]
}

const sysctlPattern = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const sysctlCharactersMax = 253
const sysctlText = `must have at most ${sysctlCharactersMax} characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`

function checkSysctls(sysctls: readonly Fields[], spec: Fields, field: string): Errors {
  const seen = new Set<string>()
  return sysctls.flatMap((sysctl, index) => {
    const path = `${field}[${index}].name`
    const name = textOf(sysctl['name'])
    const errors: FieldError[] = []
    if (name === '') errors.push(fieldRequired(path))
    else if (name.length > sysctlCharactersMax || !sysctlPattern.test(name))
      errors.push(fieldInvalid(path, name, sysctlText))
    else if (seen.has(name)) errors.push(fieldDuplicate(path, name))
    seen.add(name)
    const dotted = name.replaceAll('/', '.')
    if (spec['hostNetwork'] === true && dotted.startsWith('net.')) {
      errors.push(fieldInvalid(path, name, "may not be specified when 'hostNetwork' is true"))
    }
    if (spec['hostIPC'] === true && /^(kernel\.(sem|shm|msg)|fs\.mqueue\.)/.test(dotted)) {
      errors.push(fieldInvalid(path, name, "may not be specified when 'hostIPC' is true"))
    }
    return errors
  })
}

/** A user namespace of its own does not go together with the host's other namespaces. */
export function checkHostUsers(spec: Fields, path: string): Errors {
  if (spec['hostUsers'] !== false) return []
  const detail = 'when `hostUsers` is false'
  const names = [
    ['hostNetwork', 'hostNetwork'],
    ['hostPID', 'HostPID'],
    ['hostIPC', 'HostIPC'],
  ] as const
  return names
    .filter(([name]) => spec[name] === true)
    .map(([, shown]) => fieldForbidden(`${path}.${shown}`, detail))
}
