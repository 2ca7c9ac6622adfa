// What both webhook configurations ask of their webhooks: whom they are called for, where, and how it must be said.
// Upstream: pkg/apis/admissionregistration/validation and v1/defaults.go.

import type { LabelSelectorObject } from '../../api/select.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../../api/status.ts'
import { checkText, validateLabelSelector } from '../../api/validate/labels.ts'
import { dns1035Label, dnsSubdomain, portNumberProblems, qualifiedName } from '../../api/validate/names.ts'
import { compileCondition } from '../../cel/match-conditions.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, textOf, textsOf } from '../fields.ts'
import { each, fill, pipe, within } from '../fill.ts'

type Errors = readonly FieldError[]

const reviewVersions = ['v1', 'v1beta1']
const sideEffects = ['None', 'NoneOnDryRun']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const timeoutSecondsMax = 30
const conditionsMax = 64

/** `own` are the defaults that only one of the two kinds has. */
export function defaultWebhook(webhook: Fields, own: Fields = {}): Fields {
  return pipe(
    fill(webhook, {
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      ...own,
    }),
    (one) => each(one, 'rules', (rule) => fill(rule, { scope: '*' })),
    (one) =>
      within(one, 'clientConfig', (config) =>
        within(config, 'service', (service) => fill(service, { port: 443 })),
      ),
  )
}

export function checkWebhooks(webhooks: readonly Fields[]): Errors {
  const names = webhooks.map(({ name }) => textOf(name))
  return webhooks.flatMap((webhook, index) => {
    const path = `webhooks[${index}]`
    const name = names[index] ?? ''
    const isDuplicate = name !== '' && names.indexOf(name) < index
    return [
      ...checkWebhook(webhook, path),
      ...checkReviewVersions(textsOf(webhook['admissionReviewVersions']), `${path}.admissionReviewVersions`),
      ...(isDuplicate ? [fieldDuplicate(`${path}.name`, name)] : []),
    ]
  })
}

function checkWebhook(webhook: Fields, path: string): Errors {
  return [
    ...checkName(textOf(webhook['name']), `${path}.name`),
    ...itemsOf(webhook['rules']).flatMap((rule, index) => checkRule(rule, `${path}.rules[${index}]`)),
    ...checkKnown(webhook, path, 'failurePolicy', ['Fail', 'Ignore']),
    ...checkKnown(webhook, path, 'matchPolicy', ['Equivalent', 'Exact']),
    ...checkSideEffects(webhook['sideEffects'], `${path}.sideEffects`),
    ...checkTimeout(webhook['timeoutSeconds'], `${path}.timeoutSeconds`),
    ...checkKnown(webhook, path, 'reinvocationPolicy', ['IfNeeded', 'Never']),
    ...['namespaceSelector', 'objectSelector'].flatMap((name) =>
      isPresent(webhook[name])
        ? validateLabelSelector(webhook[name] as LabelSelectorObject, `${path}.${name}`)
        : [],
    ),
    ...checkClientConfig(fieldsOf(webhook['clientConfig']), `${path}.clientConfig`),
    ...checkConditions(itemsOf(webhook['matchConditions']), `${path}.matchConditions`),
  ]
}

function checkConditions(conditions: readonly Fields[], path: string): Errors {
  if (conditions.length > conditionsMax) return [fieldTooMany(path, conditions.length, conditionsMax)]
  const names = conditions.map(({ name }) => textOf(name))
  return conditions.flatMap((condition, index) => {
    const at = `${path}[${index}]`
    const name = names[index] ?? ''
    const isDuplicate = name !== '' && names.indexOf(name) < index
    return [
      ...checkExpression(textOf(condition['expression']), `${at}.expression`),
      ...(name === '' ? [fieldRequired(`${at}.name`)] : checkText(qualifiedName, name, `${at}.name`)),
      ...(isDuplicate ? [fieldDuplicate(`${at}.name`, name)] : []),
    ]
  })
}

function checkExpression(expression: string, field: string): Errors {
  if (expression.trim() === '') return [fieldRequired(field)]
  const outcome = compileCondition(expression)
  return outcome.ok ? [] : [fieldInvalid(field, expression, outcome.message)]
}

function checkName(name: string, field: string): Errors {
  if (name === '') return [fieldRequired(field)]
  const problems = dnsSubdomain(name)
  if (problems.length > 0) return [fieldInvalid(field, name, problems.join(','))]
  if (name.split('.').length >= 3) return []
  return [fieldInvalid(field, name, 'should be a domain with at least three segments separated by dots')]
}

function checkKnown(webhook: Fields, path: string, name: string, allowed: readonly string[]): Errors {
  const value = webhook[name]
  if (!isPresent(value) || allowed.includes(textOf(value))) return []
  return [fieldNotSupported(`${path}.${name}`, value, allowed)]
}

function checkSideEffects(value: unknown, field: string): Errors {
  if (!isPresent(value)) return [fieldRequired(field, `must specify one of ${sideEffects.join(', ')}`)]
  return sideEffects.includes(textOf(value)) ? [] : [fieldNotSupported(field, value, sideEffects)]
}

function checkTimeout(value: unknown, field: string): Errors {
  if (typeof value !== 'number' || (value >= 1 && value <= timeoutSecondsMax)) return []
  return [fieldInvalid(field, value, 'the timeout value must be between 1 and 30 seconds')]
}

function checkReviewVersions(versions: readonly string[], field: string): Errors {
  if (versions.length === 0) return [fieldRequired(field, `must specify one of ${reviewVersions.join(', ')}`)]
  const errors = versions.flatMap((version, index): Errors => {
    if (versions.indexOf(version) < index)
      return [fieldInvalid(`${field}[${index}]`, version, 'duplicate version')]
    return dns1035Label(version).map((problem) => fieldInvalid(`${field}[${index}]`, version, problem))
  })
  if (errors.length > 0 || versions.some((version) => reviewVersions.includes(version))) return errors
  return [fieldInvalid(field, versions, `must include at least one of ${reviewVersions.join(', ')}`)]
}

function checkRule(rule: Fields, path: string): Errors {
  const asked = textsOf(rule['operations'])
  const scopes = ['*', 'Cluster', 'Namespaced']
  return [
    ...checkWords(asked, `${path}.operations`, 'operations'),
    ...asked.flatMap((operation, index) =>
      operations.includes(operation)
        ? []
        : [fieldNotSupported(`${path}.operations[${index}]`, operation, operations)],
    ),
    ...checkWords(textsOf(rule['apiGroups']), `${path}.apiGroups`, 'API groups'),
    ...checkWords(textsOf(rule['apiVersions']), `${path}.apiVersions`, 'API versions'),
    ...textsOf(rule['apiVersions']).flatMap((version, index) =>
      version === '' ? [fieldRequired(`${path}.apiVersions[${index}]`)] : [],
    ),
    ...checkResources(textsOf(rule['resources']), `${path}.resources`),
    ...checkKnown(rule, path, 'scope', scopes),
  ]
}

function checkWords(words: readonly string[], field: string, what: string): Errors {
  if (words.length === 0) return [fieldRequired(field)]
  if (words.length === 1 || !words.includes('*')) return []
  return [fieldInvalid(field, words, `if '*' is present, must not specify other ${what}`)]
}

function checkResources(resources: readonly string[], field: string): Errors {
  if (resources.length === 0) return [fieldRequired(field)]
  const errors: FieldError[] = []
  const [everySubresource, everyResource] = [new Set<string>(), new Set<string>()]
  resources.forEach((text, index) => {
    const at = `${field}[${index}]`
    if (text === '') errors.push(fieldRequired(at))
    const [resource = '', subresource] = text.split(/\/(.*)/s)
    if (subresource === undefined) return
    if (everySubresource.has(resource))
      errors.push(fieldInvalid(at, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (everyResource.has(subresource))
      errors.push(fieldInvalid(at, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') everySubresource.add(resource)
    if (resource === '*') everyResource.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(fieldInvalid(field, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && resources.some((one) => one !== '*' && !one.includes('/')))
    errors.push(
      fieldInvalid(
        field,
        resources,
        "if '*' is present, must not specify other resources without subresources",
      ),
    )
  return errors
}

/** Also of conversion webhooks, which have the same configuration. */
export function checkClientConfig(config: Fields, path: string): Errors {
  const { url, service } = config
  if (isPresent(url) === isPresent(service))
    return [fieldRequired(path, 'exactly one of url or service is required')]
  return isPresent(url)
    ? checkUrl(textOf(url), `${path}.url`)
    : checkService(fieldsOf(service), `${path}.service`)
}

function checkUrl(text: string, field: string): Errors {
  const form = '; desired format: https://host[/path]'
  const url = URL.parse(text)
  if (url === null)
    return [fieldRequired(field, `url must be a valid URL: parse ${JSON.stringify(text)}${form}`)]
  const scheme = url.protocol.slice(0, -1)
  const user = [url.username, url.password].filter((part) => part !== '').join(':')
  return [
    ...(scheme === 'https'
      ? []
      : [fieldInvalid(field, scheme, `'https' is the only allowed URL scheme${form}`)]),
    ...(url.hostname === '' ? [fieldInvalid(field, '', `host must be specified${form}`)] : []),
    ...(user === '' ? [] : [fieldInvalid(field, user, 'user information is not permitted in the URL')]),
    ...(url.hash === ''
      ? []
      : [fieldInvalid(field, url.hash.slice(1), 'fragments are not permitted in the URL')]),
    ...(url.search === ''
      ? []
      : [fieldInvalid(field, url.search.slice(1), 'query parameters are not permitted in the URL')]),
  ]
}

function checkService(service: Fields, path: string): Errors {
  const port = typeof service['port'] === 'number' ? service['port'] : 0
  const problems = portNumberProblems(port)
  return [
    ...(textOf(service['name']) === '' ? [fieldRequired(`${path}.name`, 'service name is required')] : []),
    ...(textOf(service['namespace']) === ''
      ? [fieldRequired(`${path}.namespace`, 'service namespace is required')]
      : []),
    ...(problems.length === 0
      ? []
      : [fieldInvalid(`${path}.port`, port, `port is not valid: ${problems.join(',')}`)]),
    ...checkPath(textOf(service['path']), `${path}.path`),
  ]
}

function checkPath(path: string, field: string): Errors {
  if (path === '' || path === '/') return []
  if (path === '//') return [fieldInvalid(field, path, 'segment[0] may not be empty')]
  if (!path.startsWith('/')) return [fieldInvalid(field, path, "must start with a '/'")]
  const steps = path.slice(1).replace(/\/$/, '').split('/')
  return steps.flatMap((step, index) => {
    if (step === '') return [fieldInvalid(field, path, `segment[${index}] may not be empty`)]
    return dnsSubdomain(step).map((problem) => fieldInvalid(field, path, `segment[${index}]: ${problem}`))
  })
}
