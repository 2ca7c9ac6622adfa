// Whether a pod uses only those Secrets that its service account lists, for accounts that demand it.
// Upstream: plugin/pkg/admission/serviceaccount, limitSecretReferences; asked for by annotation.

import type { KubeObject } from '../api/object.ts'

interface SecretRef {
  readonly name?: string
}

interface Container {
  readonly name?: string
  readonly env?: readonly {
    readonly name?: string
    readonly valueFrom?: { readonly secretKeyRef?: SecretRef }
  }[]
  readonly envFrom?: readonly { readonly secretRef?: SecretRef }[]
}

interface Spec {
  readonly volumes?: readonly { readonly secret?: { readonly secretName?: string } }[]
  readonly initContainers?: readonly Container[]
  readonly containers?: readonly Container[]
  readonly ephemeralContainers?: readonly Container[]
  readonly imagePullSecrets?: readonly SecretRef[]
}

/** The first reference that is not allowed, in upstream's words. */
export function secretProblem(pod: KubeObject, account: KubeObject): string | undefined {
  const spec = (pod['spec'] ?? {}) as Spec
  const name = account.metadata.name ?? ''
  const mountable = namesOf(account['secrets'])
  const because = `is not allowed because service account ${name} does not reference that secret`
  for (const { secret } of spec.volumes ?? []) {
    if (secret === undefined || mountable.has(secret.secretName ?? '')) continue
    return `volume with secret.secretName="${secret.secretName}" ${because}`
  }
  const kinds = [
    ['init container', spec.initContainers],
    ['container', spec.containers],
    ['ephemeral container', spec.ephemeralContainers],
  ] as const
  for (const [kind, containers] of kinds) {
    for (const container of containers ?? []) {
      const problem = findUse(container, mountable)
      if (problem !== undefined) return `${kind} ${container.name} with ${problem} ${because}`
    }
  }
  return pullSecretProblem(spec, namesOf(account['imagePullSecrets']), name)
}

function findUse(container: Container, mountable: ReadonlySet<string>): string | undefined {
  for (const { name, valueFrom } of container.env ?? []) {
    const secret = valueFrom?.secretKeyRef?.name
    if (secret !== undefined && !mountable.has(secret)) {
      return `envVar ${name} referencing secret.secretName="${secret}"`
    }
  }
  for (const { secretRef } of container.envFrom ?? []) {
    const secret = secretRef?.name
    if (secret !== undefined && !mountable.has(secret))
      return `envFrom referencing secret.secretName="${secret}"`
  }
  return undefined
}

function pullSecretProblem(spec: Spec, allowed: ReadonlySet<string>, account: string): string | undefined {
  const at = (spec.imagePullSecrets ?? []).findIndex((secret) => !allowed.has(secret.name ?? ''))
  if (at < 0) return undefined
  const name = spec.imagePullSecrets?.[at]?.name
  return `imagePullSecrets[${at}].name="${name}" is not allowed because service account ${account} does not reference that imagePullSecret`
}

function namesOf(references: unknown): ReadonlySet<string> {
  return new Set(((references ?? []) as readonly SecretRef[]).map(({ name }) => name ?? ''))
}
