// The built-in resources that loops of ours speak to, with their types.
// Others are written as a literal where they are needed; what is really served, discovery tells.

import type {
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  ControllerRevision,
  CronJob,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  Ingress,
  Job,
  Lease,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
  TokenReview,
} from '../api/models.ts'
import type { ResourceRef } from './client.ts'

export const configMaps: ResourceRef<ConfigMap> = namespaced('', 'configmaps')
export const endpoints: ResourceRef<Endpoints> = namespaced('', 'endpoints')
export const events: ResourceRef<Event> = namespaced('', 'events')
export const namespaces: ResourceRef<Namespace> = clusterWide('', 'namespaces')
export const nodes: ResourceRef<Node> = clusterWide('', 'nodes')
export const persistentVolumeClaims: ResourceRef<PersistentVolumeClaim> = namespaced(
  '',
  'persistentvolumeclaims',
)
export const persistentVolumes: ResourceRef<PersistentVolume> = clusterWide('', 'persistentvolumes')
export const pods: ResourceRef<Pod> = namespaced('', 'pods')
export const replicationControllers: ResourceRef<ReplicationController> = namespaced(
  '',
  'replicationcontrollers',
)
export const resourceQuotas: ResourceRef<ResourceQuota> = namespaced('', 'resourcequotas')
export const secrets: ResourceRef<Secret> = namespaced('', 'secrets')
export const serviceAccounts: ResourceRef<ServiceAccount> = namespaced('', 'serviceaccounts')
export const services: ResourceRef<Service> = namespaced('', 'services')
export const controllerRevisions: ResourceRef<ControllerRevision> = namespaced('apps', 'controllerrevisions')
export const daemonSets: ResourceRef<DaemonSet> = namespaced('apps', 'daemonsets')
export const deployments: ResourceRef<Deployment> = namespaced('apps', 'deployments')
export const replicaSets: ResourceRef<ReplicaSet> = namespaced('apps', 'replicasets')
export const statefulSets: ResourceRef<StatefulSet> = namespaced('apps', 'statefulsets')
export const cronJobs: ResourceRef<CronJob> = namespaced('batch', 'cronjobs')
export const jobs: ResourceRef<Job> = namespaced('batch', 'jobs')
export const endpointSlices: ResourceRef<EndpointSlice> = namespaced('discovery.k8s.io', 'endpointslices')
export const ingresses: ResourceRef<Ingress> = namespaced('networking.k8s.io', 'ingresses')
export const networkPolicies: ResourceRef<NetworkPolicy> = namespaced('networking.k8s.io', 'networkpolicies')
export const podDisruptionBudgets: ResourceRef<PodDisruptionBudget> = namespaced(
  'policy',
  'poddisruptionbudgets',
)
export const leases: ResourceRef<Lease> = namespaced('coordination.k8s.io', 'leases')
export const clusterRoleBindings: ResourceRef<ClusterRoleBinding> = clusterWide(
  'rbac.authorization.k8s.io',
  'clusterrolebindings',
)
export const clusterRoles: ResourceRef<ClusterRole> = clusterWide('rbac.authorization.k8s.io', 'clusterroles')
export const roleBindings: ResourceRef<RoleBinding> = namespaced('rbac.authorization.k8s.io', 'rolebindings')
export const roles: ResourceRef<Role> = namespaced('rbac.authorization.k8s.io', 'roles')
export const customResourceDefinitions: ResourceRef<CustomResourceDefinition> = clusterWide(
  'apiextensions.k8s.io',
  'customresourcedefinitions',
)
export const certificateSigningRequests: ResourceRef<CertificateSigningRequest> = clusterWide(
  'certificates.k8s.io',
  'certificatesigningrequests',
)
export const storageClasses: ResourceRef<StorageClass> = clusterWide('storage.k8s.io', 'storageclasses')
export const selfSubjectAccessReviews: ResourceRef<SelfSubjectAccessReview> = clusterWide(
  'authorization.k8s.io',
  'selfsubjectaccessreviews',
)
export const selfSubjectRulesReviews: ResourceRef<SelfSubjectRulesReview> = clusterWide(
  'authorization.k8s.io',
  'selfsubjectrulesreviews',
)
export const tokenReviews: ResourceRef<TokenReview> = clusterWide('authentication.k8s.io', 'tokenreviews')

function namespaced(group: string, resource: string): ResourceRef<never> {
  return { group, version: 'v1', resource, isNamespaced: true }
}

function clusterWide(group: string, resource: string): ResourceRef<never> {
  return { group, version: 'v1', resource, isNamespaced: false }
}
