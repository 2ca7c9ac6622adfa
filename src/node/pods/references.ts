// Which objects a pod is made from, so that a change of one leads back to the pod. Pure.

import type { Container, Pod, Volume } from '../../api/models.ts'

/** `configmap/name`, `secret/name`, `claim/name`; the pod's namespace goes without saying. */
export function referencesOf({ spec }: Pod): readonly string[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return [...new Set([...containers.flatMap(ofContainer), ...(spec?.volumes ?? []).flatMap(ofVolume)])]
}

function ofContainer({ env = [], envFrom = [] }: Container): readonly string[] {
  return [
    ...env.flatMap(({ valueFrom }) => both(valueFrom?.configMapKeyRef?.name, valueFrom?.secretKeyRef?.name)),
    ...envFrom.flatMap(({ configMapRef, secretRef }) => both(configMapRef?.name, secretRef?.name)),
  ]
}

function ofVolume({ configMap, secret, projected, persistentVolumeClaim }: Volume): readonly string[] {
  const claim = persistentVolumeClaim?.claimName
  return [
    ...both(configMap?.name, secret?.secretName),
    ...(projected?.sources ?? []).flatMap((source) => both(source.configMap?.name, source.secret?.name)),
    ...(claim === undefined ? [] : [`claim/${claim}`]),
  ]
}

function both(configMap: string | undefined, secret: string | undefined): readonly string[] {
  return [
    ...(configMap === undefined ? [] : [`configmap/${configMap}`]),
    ...(secret === undefined ? [] : [`secret/${secret}`]),
  ]
}
