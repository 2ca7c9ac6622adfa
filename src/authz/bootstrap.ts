// The roles and bindings that a plane has before anybody wrote one.
// Writing those that are missing is plane/'s; keeping the gathered roles up to date is a controller's.

import type { PolicyRule } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { clusterRoles } from './bootstrap/cluster-roles.ts'
import { controllerRoles } from './bootstrap/controller-roles.ts'
import { namespaceRoles } from './bootstrap/namespace-roles.ts'
import type { RoleTable } from './bootstrap/rule.ts'

const group = 'rbac.authorization.k8s.io'
const apiVersion = `${group}/v1`
const controllerPrefix = 'system:controller:'

type Subject = Readonly<Record<string, string>>

const user = (name: string): Subject => ({ apiGroup: group, kind: 'User', name })
const groupOf = (name: string): Subject => ({ apiGroup: group, kind: 'Group', name })
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })

/** Every role and binding of a fresh plane, roles first. */
export function bootstrapObjects(): readonly KubeObject[] {
  return [
    ...rolesOf(clusterRoles),
    ...gatheredRoles(),
    ...rolesOf(controllerRoles),
    ...rolesOf(namespaceRoles),
    ...clusterBindings(),
    ...controllerBindings(),
    ...namespaceBindings(),
  ]
}

const aggregateLabel = (target: string): Readonly<Record<string, string>> => ({
  [`${group}/aggregate-to-${target}`]: 'true',
})

function rolesOf(table: RoleTable): readonly KubeObject[] {
  return Object.entries(table).map(([fullName, rules]) => {
    const target = /^system:aggregate-to-(.*)$/.exec(fullName)?.[1]
    return makeRole({ fullName, rules, labels: target === undefined ? {} : aggregateLabel(target) })
  })
}

/** admin, edit and view hold from the start what the aggregation controller will gather for them. */
function gatheredRoles(): readonly KubeObject[] {
  const rulesOf = (target: string) => clusterRoles[`system:aggregate-to-${target}`] ?? []
  const view = rulesOf('view')
  const edit = [...rulesOf('edit'), ...view]
  const admin = [...edit, ...rulesOf('admin')]
  const gather = (name: string, rules: readonly PolicyRule[], labels = {}): KubeObject => ({
    ...makeRole({ fullName: name, rules, labels }),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregateLabel(name) }] },
  })
  return [
    gather('admin', admin),
    gather('edit', edit, aggregateLabel('admin')),
    gather('view', view, aggregateLabel('edit')),
  ]
}

function clusterBindings(): readonly KubeObject[] {
  const [authenticated, unauthenticated] = [
    groupOf('system:authenticated'),
    groupOf('system:unauthenticated'),
  ]
  const scheduler = user('system:kube-scheduler')
  const table: Readonly<Record<string, readonly Subject[]>> = {
    'cluster-admin': [groupOf('system:masters')],
    'system:basic-user': [authenticated],
    'system:discovery': [authenticated],
    'system:kube-controller-manager': [user('system:kube-controller-manager')],
    'system:kube-dns': [account('kube-dns')],
    'system:kube-scheduler': [scheduler],
    'system:monitoring': [groupOf('system:monitoring')],
    // Nodes are the node authoriser's; upstream keeps the binding without subjects.
    'system:node': [],
    'system:node-proxier': [user('system:kube-proxy')],
    'system:public-info-viewer': [authenticated, unauthenticated],
    'system:service-account-issuer-discovery': [groupOf('system:serviceaccounts')],
    'system:volume-scheduler': [scheduler],
  }
  return Object.entries(table).map(([name, subjects]) =>
    makeBinding({ fullName: name, role: name, subjects }),
  )
}

function controllerBindings(): readonly KubeObject[] {
  return Object.keys(controllerRoles).map((name) =>
    makeBinding({ fullName: name, role: name, subjects: [account(name.slice(controllerPrefix.length))] }),
  )
}

function namespaceBindings(): readonly KubeObject[] {
  const [manager, scheduler] = [user('system:kube-controller-manager'), user('system:kube-scheduler')]
  const table: Readonly<Record<string, readonly Subject[]>> = {
    'kube-public/system:controller:bootstrap-signer': [account('bootstrap-signer')],
    'kube-system/system::extension-apiserver-authentication-reader': [manager, scheduler],
    'kube-system/system::leader-locking-kube-controller-manager': [
      manager,
      account('kube-controller-manager'),
      account('leader-election-controller'),
    ],
    'kube-system/system::leader-locking-kube-scheduler': [scheduler, account('kube-scheduler')],
    'kube-system/system:controller:bootstrap-signer': [account('bootstrap-signer')],
    'kube-system/system:controller:cloud-provider': [account('cloud-provider')],
    'kube-system/system:controller:token-cleaner': [account('token-cleaner')],
  }
  return Object.entries(table).map(([fullName, subjects]) => {
    const { name } = splitName(fullName)
    // The one binding that is not called like its role.
    const role = name.replace(/^system::(?=extension)/, '')
    return makeBinding({ fullName, role, subjects })
  })
}

/** `namespace/name` or, for the cluster's own, `name`. */
function splitName(fullName: string): { readonly name: string; readonly namespace?: string } {
  const [first = '', second] = fullName.split('/')
  return second === undefined ? { name: first } : { name: second, namespace: first }
}

function makeMetadata(
  fullName: string,
  labels: Readonly<Record<string, string>> = {},
): KubeObject['metadata'] {
  return {
    ...splitName(fullName),
    annotations: { [`${group.replace('k8s.io', 'kubernetes.io')}/autoupdate`]: 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  }
}

function makeRole({
  fullName,
  rules,
  labels,
}: {
  fullName: string
  rules: readonly PolicyRule[]
  labels: Readonly<Record<string, string>>
}): KubeObject {
  const metadata = makeMetadata(fullName, labels)
  return { apiVersion, kind: metadata.namespace === undefined ? 'ClusterRole' : 'Role', metadata, rules }
}

function makeBinding({
  fullName,
  role,
  subjects,
}: {
  fullName: string
  role: string
  subjects: readonly Subject[]
}): KubeObject {
  const metadata = makeMetadata(fullName)
  const kind = metadata.namespace === undefined ? 'ClusterRole' : 'Role'
  return {
    apiVersion,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: group, kind, name: role },
    ...(subjects.length === 0 ? {} : { subjects }),
  }
}
