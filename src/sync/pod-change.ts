// What may change in a pod that runs on the host: images, labels, annotations and its deadline.
// Everything else was settled when it was made.

import type { Container, Pod, PodSpec } from '../api/models.ts'
import { digestOf } from './equal.ts'
import { mergeMetadata } from './mirror.ts'
import { digestAnnotation } from './owner.ts'

/** A new host pod, marked with a digest of what may change in it. */
export function withPodDigest(host: Pod): Pod {
  const annotations = { ...host.metadata.annotations, [digestAnnotation]: changeableDigest(host) }
  return { ...host, metadata: { ...host.metadata, annotations } }
}

/**
 * The host pod as it should be now. Images follow the tenant's only when the tenant changed them since the copy was
 * written: a webhook of the host may have put another registry's in. Containers that the host put in stay.
 */
export function changeable(host: Pod, desired: Pod): Pod {
  const marked = withPodDigest(desired)
  const isNews =
    host.metadata.annotations?.[digestAnnotation] !== marked.metadata.annotations?.[digestAnnotation]
  const metadata = mergeMetadata(host.metadata, marked.metadata)
  if (!isNews || host.spec === undefined || desired.spec === undefined) return { ...host, metadata }
  const { activeDeadlineSeconds } = desired.spec
  const spec: PodSpec = {
    ...host.spec,
    containers: withImages(host.spec.containers, desired.spec.containers),
    ...(host.spec.initContainers === undefined
      ? {}
      : { initContainers: withImages(host.spec.initContainers, desired.spec.initContainers ?? []) }),
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
  }
  return { ...host, metadata, spec }
}

function withImages(current: readonly Container[], desired: readonly Container[]): readonly Container[] {
  const images = new Map(desired.map(({ name, image }) => [name, image]))
  return current.map((container) => {
    const image = images.get(container.name)
    return image === undefined ? container : { ...container, image }
  })
}

function changeableDigest({ spec }: Pod): string {
  const images = (containers: readonly Container[] | undefined) =>
    (containers ?? []).map(({ name, image }) => [name, image])
  return digestOf({
    containers: images(spec?.containers),
    initContainers: images(spec?.initContainers),
    activeDeadlineSeconds: spec?.activeDeadlineSeconds,
  })
}
