// What every cluster has from its first moment: namespaces, bootstrap roles and the `kubernetes` Service.
// Missing objects are written at each start; what is there is left as it is.

import { systemPriorityClasses } from '../admission/priority.ts'
import type { Call, Door, UserInfo } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { parseApiVersion } from '../api/object.ts'
import { ApiError } from '../api/status.ts'
import { bootstrapObjects } from '../authz/bootstrap.ts'

/** The plane itself, as audit and field managers see it. Upstream: user.APIServerUser. */
export const serverUser: UserInfo = {
  name: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
}

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

export interface ApiAddress {
  /** Where the endpoints of the `kubernetes` Service point. */
  readonly address: string
  readonly port: number
  /** The cluster IP of the `kubernetes` Service. */
  readonly clusterIP: string
}

/** Writes what is missing, everything at once: the store commits it as one or two groups. */
export async function bootstrap(door: Door, api: ApiAddress | undefined, signal: AbortSignal): Promise<void> {
  const write = (object: KubeObject): Promise<void> => ensure(door, object, signal)
  const clusterWide = [...bootstrapObjects().filter(isClusterScoped), ...systemPriorityClasses()]
  await Promise.all([...namespaces.map(namespaceOf), ...clusterWide].map(write))
  await Promise.all(
    bootstrapObjects()
      .filter((object) => !isClusterScoped(object))
      .map(write),
  )
  if (api !== undefined)
    await Promise.all(kubernetesService(api).map((object) => replace(door, object, signal)))
}

const isClusterScoped = (object: KubeObject): boolean => (object.metadata.namespace ?? '') === ''

const namespaceOf = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
})

function kubernetesService({ address, port, clusterIP }: ApiAddress): readonly KubeObject[] {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const metadata = { name: 'kubernetes', namespace: 'default' }
  const https = { name: 'https', protocol: 'TCP' }
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        sessionAffinity: 'None',
        ports: [{ ...https, port: 443, targetPort: port }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: address }], ports: [{ ...https, port }] }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ ...https, port }],
    },
  ]
}

async function ensure(door: Door, object: KubeObject, signal: AbortSignal): Promise<void> {
  const call = callFor(object, signal)
  try {
    await door.handle({ ...call, verb: 'create', name: '' })
  } catch (error) {
    if (!(error instanceof ApiError && error.status.reason === 'AlreadyExists')) throw error
  }
}

/** The address may have changed since the last start: what must be true now is written over what is there. */
async function replace(door: Door, object: KubeObject, signal: AbortSignal): Promise<void> {
  const call = callFor(object, signal)
  await door.handle({
    ...call,
    object: undefined,
    verb: 'patch',
    patch: { type: 'apply', body: call.object as never },
    options: { fieldManager: 'k3v', force: true },
  })
}

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  PriorityClass: 'priorityclasses',
  Service: 'services',
  Endpoints: 'endpoints',
  EndpointSlice: 'endpointslices',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
}

function callFor(object: KubeObject, signal: AbortSignal): Call {
  const { group, version } = parseApiVersion(object.apiVersion ?? '')
  return {
    user: serverUser,
    verb: 'create',
    group,
    version,
    resource: plurals[object.kind ?? ''] ?? '',
    subresource: '',
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    options: {},
    object,
    userAgent: 'k3v',
    signal,
  }
}
