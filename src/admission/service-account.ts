// ServiceAccount: every pod runs as one that exists, and finds its token, the authority and its namespace in files.
// Upstream: plugin/pkg/admission/serviceaccount. The token itself is made where the pod runs.

import type { AdmissionPlugin, AdmissionRequest, Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import type { StoredObject } from '../api/stored.ts'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { type Container, isMirrorPod, podSpecOf, withSpec } from './pod.ts'
import { isAbout, refuse } from './refuse.ts'
import { secretProblem } from './secret-references.ts'

export interface ServiceAccountParts {
  readonly reader: Reader
  readonly clock: Clock
  readonly random: Random
}

const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
// Upstream's mark for a token that the kubelet renews each hour.
const tokenExpirationSeconds = 3607

export function serviceAccount(parts: ServiceAccountParts): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate: async (request) => {
      const pod = request.object ?? { metadata: {} }
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'pods') || isMirrorPod(pod)) return pod
      const spec = podSpecOf(pod)
      const name = spec.serviceAccountName || spec.serviceAccount || 'default'
      const account = await lookUp(parts, request, name)
      const named = withSpec(pod, { serviceAccountName: name, serviceAccount: name })
      const mounted = wantsToken(named, account) ? mountToken(named, parts.random) : named
      return withPullSecrets(mounted, account)
    },
    validate: (request) => validate(parts, request),
  }
}

async function validate(parts: ServiceAccountParts, request: AdmissionRequest): Promise<void> {
  const { operation, subresource, resource, object: pod, namespace } = request
  if (pod === undefined || resource.group !== '' || resource.resource !== 'pods') return
  const isEphemeral = operation === 'UPDATE' && subresource === 'ephemeralcontainers'
  if (!isEphemeral && (operation !== 'CREATE' || subresource !== '')) return
  if (isMirrorPod(pod)) {
    const problem = mirrorProblem(pod)
    if (problem !== undefined) throw refuse(request, problem)
    return
  }
  const name = podSpecOf(pod).serviceAccountName ?? ''
  if (name === '') {
    throw refuse(request, `no service account specified for pod ${namespace}/${pod.metadata.name ?? ''}`)
  }
  const account = await lookUp(parts, request, name)
  if (account.object.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] !== 'true') return
  const problem = secretProblem(pod, account.object)
  if (problem !== undefined) throw refuse(request, problem)
}

// The account named default is made by a controller right after its namespace; the others are there or not.
const defaultAccountTries = 10
const defaultAccountWaitMs = 20
const defaultAccountWaitMsMax = 200

async function lookUp(
  { reader, clock }: ServiceAccountParts,
  request: AdmissionRequest,
  name: string,
): Promise<StoredObject> {
  const { namespace } = request
  const tries = name === 'default' ? defaultAccountTries : 1
  let waitMs = defaultAccountWaitMs
  for (let attempt = 1; ; attempt += 1) {
    const account = reader.get({ group: '', resource: 'serviceaccounts' }, namespace, name)
    if (account !== undefined) return account
    if (attempt >= tries) break
    await clock.sleep(waitMs)
    waitMs = Math.min(waitMs * 2, defaultAccountWaitMsMax)
  }
  const missing = `serviceaccount ${JSON.stringify(name)} not found`
  throw refuse(request, `error looking up service account ${namespace}/${name}: ${missing}`)
}

// The pod's wish comes before the account's.
function wantsToken(pod: KubeObject, account: StoredObject): boolean {
  return (
    podSpecOf(pod).automountServiceAccountToken ??
    readFlag(account.object['automountServiceAccountToken']) ??
    true
  )
}

const readFlag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)

function mountToken(pod: KubeObject, random: Random): KubeObject {
  const spec = podSpecOf(pod)
  const existing = spec.volumes?.find((volume) => volume.name?.startsWith(volumePrefix))?.name
  const name = existing ?? `${volumePrefix}${random.suffix(5)}`
  const lacksMount = ({ volumeMounts }: Container) =>
    !(volumeMounts ?? []).some((mount) => mount.mountPath === tokenMountPath)
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
  if (!containers.some(lacksMount)) return pod
  const mount = { name, readOnly: true, mountPath: tokenMountPath }
  const mounted = (list: readonly Container[]) =>
    list.map((container) =>
      lacksMount(container)
        ? { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] }
        : container,
    )
  return withSpec(pod, {
    ...(spec.initContainers ? { initContainers: mounted(spec.initContainers) } : {}),
    containers: mounted(spec.containers ?? []),
    ...(existing === undefined ? { volumes: [...(spec.volumes ?? []), tokenVolume(name)] } : {}),
  })
}

/** The volume that every pod finds at the well-known path. */
export function tokenVolume(name: string): { readonly name: string; readonly projected: unknown } {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenExpirationSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  }
}

function withPullSecrets(pod: KubeObject, account: StoredObject): KubeObject {
  const own = podSpecOf(pod).imagePullSecrets ?? []
  const given = (account.object['imagePullSecrets'] ?? []) as readonly { readonly name?: string }[]
  if (own.length > 0 || given.length === 0) return pod
  return withSpec(pod, { imagePullSecrets: given.map(({ name }) => ({ name })) })
}

function mirrorProblem(pod: KubeObject): string | undefined {
  const spec = podSpecOf(pod)
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts'
  const text = JSON.stringify(pod['spec'] ?? {})
  if (/"(secretKeyRef|secretRef|secretName)"/.test(text)) return 'a mirror pod may not reference secrets'
  if (text.includes('"serviceAccountToken":{')) {
    return 'a mirror pod may not use ServiceAccountToken volume projections'
  }
  return undefined
}
