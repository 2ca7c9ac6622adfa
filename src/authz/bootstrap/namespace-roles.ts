// The roles of kube-system and kube-public, by `namespace/name`; data only.
// Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy, 1.36.

import { allow, events, type RoleTable, read } from './rule.ts'

export const namespaceRoles: RoleTable = {
  'kube-public/system:controller:bootstrap-signer': [
    allow(read, 'core', 'configmaps'),
    allow('update', 'core', 'configmaps', 'cluster-info'),
    events,
  ],
  'kube-system/extension-apiserver-authentication-reader': [
    allow(read, 'core', 'configmaps', 'extension-apiserver-authentication'),
  ],
  'kube-system/system::leader-locking-kube-controller-manager': [
    allow('create get list update watch', 'coordination.k8s.io', 'leases'),
    allow('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
  ],
  'kube-system/system::leader-locking-kube-scheduler': [
    allow('create get list update watch', 'coordination.k8s.io', 'leases'),
    allow('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
  ],
  'kube-system/system:controller:bootstrap-signer': [allow(read, 'core', 'secrets')],
  'kube-system/system:controller:cloud-provider': [allow('create get list watch', 'core', 'configmaps')],
  'kube-system/system:controller:token-cleaner': [allow('delete get list watch', 'core', 'secrets'), events],
}
