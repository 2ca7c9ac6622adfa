// What a proof cannot know of a package, told beforehand: everything that takes a program of the package to run.
// Pure; the sentences go into the lock.

import type { KubeObject } from '../../api/object.ts'
import { imagesOf } from '../../packages/archive/lock.ts'
import type { HealthRule } from '../../packages/manifest/manifest.ts'
import { describeKey, keyOf } from '../apply/inventory.ts'

export interface Unproved {
  readonly objects: readonly KubeObject[]
  readonly health: readonly HealthRule[]
}

const callsOut: readonly string[] = [
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'APIService',
]

/** Kinds whose presence makes the plane call a program that only the package brings: they are tried, not stored. */
export const isCalledOut = ({ kind = '' }: KubeObject): boolean => callsOut.includes(kind)

export function listUnproved({ objects, health }: Unproved): string[] {
  const images = imagesOf(objects)
  const own = ownKinds(objects)
  return [
    ...images.map((image) => `image ${image}: its containers did not run; their pods were taken as ready`),
    ...objects
      .filter(isCalledOut)
      .map((object) => `${describeKey(keyOf(object))}: nothing answers it yet; no request was shown to it`),
    ...objects
      .filter((object) => own.has(`${groupOf(object)}/${object.kind}`))
      .map(
        (object) => `${describeKey(keyOf(object))}: its operator did not run; only its schema was checked`,
      ),
    ...health.map(
      ({ apiVersion, kind }) => `health of ${kind} (${apiVersion}): no status was there to judge`,
    ),
    ...objects
      .filter((object) => object.kind === 'CustomResourceDefinition' && convertsByWebhook(object))
      .map((object) => `${describeKey(keyOf(object))}: its conversion webhook was not called`),
  ]
}

const groupOf = ({ apiVersion = '' }: KubeObject): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''

function ownKinds(objects: readonly KubeObject[]): ReadonlySet<string> {
  const kinds = objects
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(
      (object) => object['spec'] as { readonly group?: string; readonly names?: { readonly kind?: string } },
    )
  return new Set(kinds.map(({ group, names }) => `${group}/${names?.kind}`))
}

function convertsByWebhook(object: KubeObject): boolean {
  const { conversion } = object['spec'] as { readonly conversion?: { readonly strategy?: string } }
  return conversion?.strategy === 'Webhook'
}
