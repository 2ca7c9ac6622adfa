// Acting as somebody else: each attribute of the wanted user must be allowed to the one who asks.
// Upstream: apiserver/pkg/endpoints/filters/impersonation. Removing the headers is the caller's.

import type { Attributes, Authorizer, UserInfo } from '../api/contracts.ts'
import { type ApiError, badRequest } from '../api/status.ts'
import { qualifiedName } from '../api/validate/names.ts'
import { accessForbidden } from './forbidden.ts'
import { nodeNameOf, splitServiceAccountName } from './service-account-name.ts'

/** Lower-case names; one entry for each time that the header came: joined values would forge groups. */
export type ImpersonationHeaders = Readonly<Record<string, readonly string[] | undefined>>

export interface ImpersonationRequest {
  /** Who asks, as authenticated. */
  readonly user: UserInfo
  readonly headers: ImpersonationHeaders
  readonly authorizer: Authorizer
  /** What is asked; with it the constrained modes of 1.36 are tried before the old one. */
  readonly attributes?: Attributes | undefined
}

const anonymous = 'system:anonymous'
const [authenticated, unauthenticated] = ['system:authenticated', 'system:unauthenticated']
const extraPrefix = 'impersonate-extra-'

/** The user that the request acts as: the asking one when no header says otherwise. Throws 400 or 403. */
export function impersonate({ user, headers, authorizer, attributes }: ImpersonationRequest): UserInfo {
  const wanted = readHeaders(headers)
  if (wanted === undefined) return user
  const modes = attributes === undefined ? [legacyMode] : modesFor(user, wanted)
  let refusal: ApiError | undefined
  for (const mode of modes) {
    const problem = findProblem({ mode, user, wanted, authorizer, attributes })
    if (problem === undefined) return impersonated(wanted, mode)
    refusal ??= problem
  }
  // There is always the old mode, so that something has been refused here.
  throw refusal ?? badRequest('impersonation is not possible')
}

interface Wanted extends UserInfo {
  readonly extra: Readonly<Record<string, readonly string[]>>
}

function readHeaders(headers: ImpersonationHeaders): Wanted | undefined {
  const first = (name: string) => headers[name]?.[0]
  const groups = headers['impersonate-group'] ?? []
  // A map, as the keys are the caller's: `__proto__` must be a key like any.
  const values = new Map<string, readonly string[]>()
  let hasExtra = false
  for (const [header, given] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix) || given === undefined) continue
    hasExtra = true
    const key = unescapeKey(header.slice(extraPrefix.length))
    if (given.length > 0) values.set(key, [...(values.get(key) ?? []), ...given])
  }
  const extra = Object.fromEntries(values)
  const [name = '', uid = ''] = [first('impersonate-user'), first('impersonate-uid')]
  const isAsked = ['impersonate-user', 'impersonate-uid', 'impersonate-group'].some(
    (header) => headers[header],
  )
  if (!isAsked && !hasExtra) return undefined
  // Upstream takes an empty user alone for none at all. A proxy that sends one must not act as itself.
  if (name === '') {
    throw badRequest(`requested ${JSON.stringify({ uid, groups, extra })} without impersonating a user name`)
  }
  return { name, groups, extra, ...(uid === '' ? {} : { uid }) }
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

interface Mode {
  readonly verb: string
  /** The group of users, groups and nodes in the checks. */
  readonly group: '' | 'authentication.k8s.io'
  /** Checked first, for the request itself. */
  readonly onVerb?: string | undefined
  /** The asked node stands as `*`: a right over the node one runs on, whichever that is. */
  readonly isOwnNode?: boolean | undefined
}

const legacyMode: Mode = { verb: 'impersonate', group: '' }

const constrainedMode = (name: string, isOwnNode = false): Mode => ({
  verb: `impersonate:${name}`,
  group: 'authentication.k8s.io',
  onVerb: `impersonate-on:${name}:`,
  isOwnNode,
})

function modesFor(user: UserInfo, wanted: Wanted): readonly Mode[] {
  const node = nodeNameOf(wanted.name)
  const isAccount = splitServiceAccountName(wanted.name) !== undefined
  if (node === undefined && !isAccount) return [constrainedMode('user-info'), legacyMode]
  const isNameOnly = wanted.uid === undefined && wanted.groups.length + Object.keys(wanted.extra).length === 0
  if (!isNameOnly) return [legacyMode]
  if (isAccount) return [constrainedMode('serviceaccount'), legacyMode]
  const ownNode = user.extra?.['authentication.kubernetes.io/node-name']
  const isOwn =
    splitServiceAccountName(user.name) !== undefined && ownNode?.length === 1 && ownNode[0] === node
  return [
    ...(isOwn ? [constrainedMode('associated-node', true)] : []),
    constrainedMode('arbitrary-node'),
    legacyMode,
  ]
}

function findProblem({
  mode,
  user,
  wanted,
  authorizer,
  attributes,
}: Omit<ImpersonationRequest, 'headers'> & { mode: Mode; wanted: Wanted }): ApiError | undefined {
  const checks = [...checksOf(mode, user, wanted)]
  if (mode.onVerb !== undefined && attributes !== undefined) {
    checks.unshift({ ...attributes, user, verb: `${mode.onVerb}${attributes.verb}` })
  }
  const [first] = checks
  const unfit = mode === legacyMode ? undefined : findUnfit(wanted)
  for (const check of checks) {
    const decision = authorizer.authorize(check)
    if (!decision.allowed) return accessForbidden(check, decision.reason)
  }
  return unfit === undefined || first === undefined ? undefined : accessForbidden(first, unfit)
}

/** One question for each attribute that is wanted. */
function* checksOf(mode: Mode, user: UserInfo, wanted: Wanted): Generator<Attributes> {
  const ask = (parts: Partial<Attributes>): Attributes => ({
    user,
    verb: mode.verb,
    isResource: true,
    group: mode.group,
    version: 'v1',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path: '',
    ...parts,
  })
  const account = splitServiceAccountName(wanted.name)
  const node = mode === legacyMode ? undefined : nodeNameOf(wanted.name)
  if (account !== undefined) yield ask({ resource: 'serviceaccounts', ...account })
  else if (node !== undefined) yield ask({ resource: 'nodes', name: mode.isOwnNode ? '*' : node })
  else yield ask({ resource: 'users', name: wanted.name })
  const authentication = { group: 'authentication.k8s.io' }
  if (wanted.uid !== undefined) yield ask({ ...authentication, resource: 'uids', name: wanted.uid })
  for (const group of wanted.groups) yield ask({ resource: 'groups', name: group })
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const value of values) {
      yield ask({ ...authentication, resource: 'userextras', subresource: key, name: value })
    }
  }
}

/** What the constrained modes never allow. */
function findUnfit({ groups, extra }: Wanted): string | undefined {
  if (groups.includes('')) return 'impersonating the empty string group is not allowed'
  if (groups.includes('system:masters')) return 'impersonating the system:masters group is not allowed'
  for (const [key, values] of Object.entries(extra)) {
    if (!key.includes('/') || qualifiedName(key).length > 0) {
      return `impersonating an invalid key in extra is not allowed: ${JSON.stringify(key)}`
    }
    if (key !== key.toLowerCase()) {
      return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`
    }
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed'
  }
  return undefined
}

function impersonated(wanted: Wanted, mode: Mode): UserInfo {
  return { ...wanted, groups: withEveryone(wanted.name, groupsOf(wanted, mode)) }
}

function groupsOf({ name, groups }: Wanted, mode: Mode): readonly string[] {
  if (groups.length > 0) return groups
  const account = splitServiceAccountName(name)
  if (account !== undefined) return ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`]
  return mode !== legacyMode && nodeNameOf(name) !== undefined ? ['system:nodes'] : groups
}

function withEveryone(name: string, groups: readonly string[]): readonly string[] {
  if (groups.includes(unauthenticated)) return groups
  const everyone = name === anonymous ? unauthenticated : authenticated
  return groups.includes(everyone) ? groups : [...groups, everyone]
}
