// The rules for a pod spec, in a Pod and in a template alike, in upstream's order.
// Upstream: ValidatePodSpec. The parts stand in the files beside this one.

import { isIP } from 'node:net'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
} from '../../api/status.ts'
import { checkText, validateAnnotations, validateLabels } from '../../api/validate/labels.ts'
import { dnsLabel, dnsSubdomain, qualifiedName, type TextRule } from '../../api/validate/names.ts'
import {
  type Fields,
  fieldsOf,
  isPresent,
  isZero,
  itemsOf,
  listOf,
  numberOf,
  textOf,
  textsOf,
} from '../fields.ts'
import { checkRange, checkRequired, checkWord, int32Max, whenPresent } from '../rules.ts'
import {
  checkContainers,
  checkEphemeralContainers,
  checkInitContainers,
  type PodOfContainer,
} from './container-validate.ts'
import { checkHostNetworkPorts } from './port-validate.ts'
import { checkContainerResources, checkPodResources } from './resources-validate.ts'
import { checkAffinity, checkSpread, checkTolerations } from './scheduling-validate.ts'
import { checkHostUsers, checkPodSecurity } from './security-validate.ts'
import { validateVolumes } from './volume-validate.ts'

type Errors = readonly FieldError[]

const restartPolicies = ['Always', 'Never', 'OnFailure']
const dnsPolicies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']

export function validatePodSpec(spec: Fields, path: string, { isPod }: { readonly isPod: boolean }): Errors {
  const { volumes, errors } = validateVolumes(itemsOf(spec['volumes']), `${path}.volumes`)
  const claims = itemsOf(spec['resourceClaims'])
  const pod: PodOfContainer = {
    volumes,
    claims: claims.map((claim) => textOf(claim['name'])),
    gracePeriodSeconds: spec['terminationGracePeriodSeconds'],
    os: textOf(fieldsOf(spec['os'])['name']),
    restartPolicy: textOf(spec['restartPolicy']),
    hostUsers: spec['hostUsers'] !== false,
  }
  return [
    ...checkRequired(spec['terminationGracePeriodSeconds'], `${path}.terminationGracePeriodSeconds`),
    ...errors,
    ...checkResourceClaims(claims, `${path}.resourceClaims`),
    ...checkContainers(itemsOf(spec['containers']), `${path}.containers`, pod),
    ...checkInitContainers(spec, `${path}.initContainers`, pod),
    ...checkEphemeralContainers(spec, `${path}.ephemeralContainers`, pod),
    ...(isPresent(spec['resources'])
      ? checkPodResources(fieldsOf(spec['resources']), `${path}.resources`)
      : []),
    ...checkHostNetworkPorts(spec, path, { isPod }),
    ...checkWord(spec['restartPolicy'], restartPolicies, `${path}.restartPolicy`),
    ...checkWord(spec['dnsPolicy'], dnsPolicies, `${path}.dnsPolicy`),
    ...validateLabels(fieldsOf(spec['nodeSelector']) as Record<string, string>, `${path}.nodeSelector`),
    ...checkPodSecurity(spec, `${path}.securityContext`),
    ...checkAffinity(fieldsOf(spec['affinity']), `${path}.affinity`),
    ...checkDns(spec, `${path}.dnsConfig`),
    ...checkGates(spec, path),
    ...checkSpread(itemsOf(spec['topologySpreadConstraints']), `${path}.topologySpreadConstraints`),
    ...checkHostUsers(spec, path),
    ...checkHostname(spec, path),
    ...checkNames(spec, path),
    ...checkTolerations(itemsOf(spec['tolerations']), `${path}.tolerations`),
    ...checkHostAliases(itemsOf(spec['hostAliases']), `${path}.hostAliases`),
    ...checkRest(spec, path),
  ]
}

function checkResourceClaims(claims: readonly Fields[], field: string): Errors {
  const names = new Set<string>()
  return claims.flatMap((claim, index) => {
    const path = `${field}[${index}]`
    const name = textOf(claim['name'])
    const errors: FieldError[] = []
    if (name === '') errors.push(fieldRequired(`${path}.name`))
    else if (names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name))
    else errors.push(...checkText(dnsLabel, name, `${path}.name`))
    names.add(name)
    const sources = ['resourceClaimName', 'resourceClaimTemplateName'].filter((source) =>
      isPresent(claim[source]),
    )
    if (sources.length === 1) return errors
    const detail =
      sources.length === 0
        ? 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
        : 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
    return [...errors, fieldInvalid(path, claim, detail)]
  })
}

const nameserversMax = 3
const searchesMax = 32
const searchCharactersMax = 2048
const underscoreSubdomain: TextRule = (value) => dnsSubdomain(value.replaceAll('_', 'a'))

function checkDns(spec: Fields, path: string): Errors {
  const config = fieldsOf(spec['dnsConfig'])
  const nameservers = textsOf(config['nameservers'])
  const searches = textsOf(config['searches'])
  if (spec['dnsPolicy'] === 'None') {
    if (!isPresent(spec['dnsConfig'])) {
      return [fieldRequired(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    }
    if (nameservers.length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
      return [fieldRequired(`${path}.nameservers`, detail)]
    }
  }
  const errors: FieldError[] = []
  const wrong = (name: string, value: unknown, detail: string) =>
    errors.push(fieldInvalid(`${path}.${name}`, value, detail))
  if (nameservers.length > nameserversMax)
    wrong('nameservers', nameservers, `must not have more than ${nameserversMax} nameservers`)
  nameservers.forEach((address, index) => {
    errors.push(...checkAddress(address, `${path}.nameservers[${index}]`))
  })
  if (searches.length > searchesMax)
    wrong('searches', searches, `must not have more than ${searchesMax} search paths`)
  if (searches.join(' ').length > searchCharactersMax)
    wrong(
      'searches',
      searches,
      `must not have more than ${searchCharactersMax} characters (including spaces) in the search list`,
    )
  searches.forEach((search, index) => {
    if (search === '.') return
    errors.push(...checkText(underscoreSubdomain, search.replace(/\.$/, ''), `${path}.searches[${index}]`))
  })
  itemsOf(config['options']).forEach((option, index) => {
    if (textOf(option['name']) === '')
      errors.push(fieldRequired(`${path}.options[${index}]`, 'must not be empty'))
  })
  return errors
}

export function checkAddress(address: string, field: string): Errors {
  if (isIP(address) !== 0) return []
  return [fieldInvalid(field, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

function checkGates(spec: Fields, path: string): Errors {
  const names = itemsOf(spec['schedulingGates']).map((gate) => textOf(gate['name']))
  return [
    ...itemsOf(spec['readinessGates']).flatMap((gate, index) =>
      checkText(
        qualifiedName,
        textOf(gate['conditionType']),
        `${path}.readinessGates[${index}].conditionType`,
      ),
    ),
    ...names.flatMap((name, index) => {
      const gatePath = `${path}.schedulingGates[${index}]`
      const isTwice = names.indexOf(name) < index
      return [
        ...checkText(qualifiedName, name, gatePath),
        ...(isTwice ? [fieldDuplicate(gatePath, name)] : []),
      ]
    }),
  ]
}

const hostnameCharactersMax = 64

function checkHostname(spec: Fields, path: string): Errors {
  if (!isPresent(spec['hostnameOverride'])) return []
  const name = textOf(spec['hostnameOverride'])
  const field = `${path}.hostnameOverride`
  const errors: FieldError[] = []
  if (spec['setHostnameAsFQDN'] === true)
    errors.push(fieldForbidden(field, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec['hostNetwork'] === true)
    errors.push(fieldForbidden(field, 'may not be specified when hostNetwork is true'))
  if (name.length > hostnameCharactersMax) errors.push(fieldTooLong(field, hostnameCharactersMax))
  return [...errors, ...checkText(dnsSubdomain, name, field)]
}

const nameRules = {
  serviceAccountName: dnsSubdomain,
  nodeName: dnsSubdomain,
  hostname: dnsLabel,
  subdomain: dnsLabel,
  priorityClassName: dnsSubdomain,
  runtimeClassName: dnsSubdomain,
} as const

function checkNames(spec: Fields, path: string): Errors {
  return Object.entries(nameRules).flatMap(([name, rule]) => {
    const value = textOf(spec[name])
    return value === '' ? [] : checkText(rule, value, `${path}.${name}`)
  })
}

function checkHostAliases(aliases: readonly Fields[], field: string): Errors {
  return aliases.flatMap((alias, index) => [
    ...checkAddress(textOf(alias['ip']), `${field}[${index}].ip`),
    ...textsOf(alias['hostnames']).flatMap((name, at) =>
      checkText(dnsSubdomain, name, `${field}[${index}].hostnames[${at}]`),
    ),
  ])
}

function checkRest(spec: Fields, path: string): Errors {
  const deadline = spec['activeDeadlineSeconds']
  const preemption = ['Never', 'PreemptLowerPriority']
  return [
    ...whenPresent(deadline, () =>
      checkRange(numberOf(deadline), 1, int32Max, `${path}.activeDeadlineSeconds`),
    ),
    ...whenPresent(spec['preemptionPolicy'], () =>
      checkWord(spec['preemptionPolicy'], preemption, `${path}.preemptionPolicy`),
    ),
    ...(isZero(spec['overhead'])
      ? []
      : checkContainerResources({ limits: spec['overhead'] }, `${path}.overhead`, [])),
    ...whenPresent(spec['os'], () => checkOs(textOf(fieldsOf(spec['os'])['name']), `${path}.os`)),
  ]
}

function checkOs(name: string, path: string): Errors {
  const systems = ['linux', 'windows']
  if (name === '') return [fieldRequired(`${path}.name`)]
  return systems.includes(name) ? [] : [fieldNotSupported(path, name, systems)]
}

/** A template, without the rules of the workload that holds it. */
export function validatePodTemplate(template: Fields, path: string): Errors {
  const metadata = fieldsOf(template['metadata'])
  const spec = fieldsOf(template['spec'])
  return [
    ...validateLabels(fieldsOf(metadata['labels']) as Record<string, string>, `${path}.labels`),
    ...validateAnnotations(
      fieldsOf(metadata['annotations']) as Record<string, string>,
      `${path}.annotations`,
    ),
    ...validatePodSpec(spec, `${path}.spec`, { isPod: false }),
    ...(listOf(spec['ephemeralContainers']).length > 0
      ? [
          fieldForbidden(
            `${path}.spec.ephemeralContainers`,
            'ephemeral containers not allowed in pod template',
          ),
        ]
      : []),
  ]
}
