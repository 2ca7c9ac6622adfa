// The host objects of a release, as they are applied: pure.
// Applying them is deploy.ts's; which rights the plane needs is told by whoever calls.

import type { KubeObject } from '../../api/object.ts'
import { bootKey, pointerKey } from '../pointer.ts'
import { labelsOf } from '../release-names.ts'
import { planeStatefulSet } from './plane-set.ts'
import { type HostOptions, ownedBy, type Root } from './wanted.ts'

/** Owns everything else; applied first, for its UID. */
export function rootConfigMap({ names, namespace, pointer, bootScript }: HostOptions): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: names.root, namespace, labels: labelsOf(names.release, 'root') },
    data: { [pointerKey]: JSON.stringify(pointer), [bootKey]: bootScript },
  }
}

/** Everything but the root and what is kept in Secrets. The StatefulSet comes last. */
export function hostObjects(options: HostOptions, root: Root): readonly KubeObject[] {
  const { names, namespace, rules } = options
  const labels = labelsOf(names.release, 'plane')
  const own = (name: string) => ({ name, namespace, labels, ownerReferences: [ownedBy(root)] })
  const account = (name: string, mounts: boolean): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: own(name),
    automountServiceAccountToken: mounts,
  })
  return [
    account(names.root, true),
    account(names.workloadAccount, false),
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: own(names.root), rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: own(names.root),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: names.root },
      subjects: [{ kind: 'ServiceAccount', name: names.root, namespace }],
    },
    service(options, root),
    planeStatefulSet(options, root),
  ]
}

function service({ names, namespace }: HostOptions, root: Root): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: names.root,
      namespace,
      labels: labelsOf(names.release, 'plane'),
      // Asks the embedded host for a port of loopback; means nothing to others.
      annotations: { 'k3v.dev/publish': 'true' },
      ownerReferences: [ownedBy(root)],
    },
    spec: {
      type: 'ClusterIP',
      selector: { 'k3v.dev/release': names.release, 'k3v.dev/part': 'plane' },
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 'https' }],
    },
  }
}
