// Which config maps, secrets and claims a pod reads: what has to be on the host for it to run.
// Rewriting them is the translators'; a virtual pod and a host pod are asked alike.

import type { Container, Pod } from '../api/models.ts'

export interface References {
  readonly configMaps: readonly string[]
  readonly secrets: readonly string[]
  readonly claims: readonly string[]
}

type Named = { readonly name?: string | undefined } | undefined

/** The names of each, once, in the pod's own namespace. */
export function referencesOf(pod: Pod): References {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const claims = new Set<string>()
  const add = (to: Set<string>, reference: Named): void => {
    if (reference?.name !== undefined && reference.name !== '') to.add(reference.name)
  }
  const { spec } = pod
  if (spec === undefined) return { configMaps: [], secrets: [], claims: [] }
  for (const secret of spec.imagePullSecrets ?? []) add(secrets, secret)
  for (const container of containersOf(pod)) {
    for (const { valueFrom } of container.env ?? []) {
      add(configMaps, valueFrom?.configMapKeyRef)
      add(secrets, valueFrom?.secretKeyRef)
    }
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(configMaps, configMapRef)
      add(secrets, secretRef)
    }
  }
  for (const volume of spec.volumes ?? []) {
    add(configMaps, volume.configMap)
    add(secrets, { name: volume.secret?.secretName })
    add(claims, { name: volume.persistentVolumeClaim?.claimName })
    for (const source of volume.projected?.sources ?? []) {
      add(configMaps, source.configMap)
      add(secrets, source.secret)
    }
  }
  return { configMaps: [...configMaps], secrets: [...secrets], claims: [...claims] }
}

export function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
}

/** A pod that has ended reads nothing any more. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}
