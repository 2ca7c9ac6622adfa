// What a release has put into a plane: the list that tells what to remove when a package drops an object.
// It is written before the first object is, and shortened only after the last is gone, so that a crash loses track of none.

import type { ConfigMap } from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Client, SignalOption } from '../../client/client.ts'
import { configMaps } from '../../client/resources.ts'

export interface ObjectKey {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for cluster scope. */
  readonly namespace: string
  readonly name: string
}

/** `undefined` means that nothing was ever recorded, which is not the same as an empty list. */
export interface InventoryStore {
  load(options?: SignalOption): Promise<readonly ObjectKey[] | undefined>
  save(keys: readonly ObjectKey[], options?: SignalOption): Promise<void>
}

/**
 * The version is no part of it: an object stays the same one when a package moves to a newer version. No namespace is
 * the same as `default`: which of the two an object has shows only when its kind is served.
 */
export function identityOf({ apiVersion, kind, namespace, name }: ObjectKey): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
  return JSON.stringify([group, kind, namespace === 'default' ? '' : namespace, name])
}

export function keyOf(object: KubeObject): ObjectKey {
  const { namespace = '', name = '' } = object.metadata
  return { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', namespace, name }
}

/** `Deployment shop/web`, `Namespace shop`. */
export function describeKey({ kind, namespace, name }: ObjectKey): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`
}

/** The later of two with one identity wins. */
export function mergeKeys(...lists: readonly (readonly ObjectKey[])[]): ObjectKey[] {
  return [...new Map(lists.flat().map((key) => [identityOf(key), key])).values()]
}

export const inventoryNamespace = 'kube-system'
const manager = 'k3v'

/** Kept in the plane itself, beside what it lists: a restored plane has the inventory of its own moment. */
export function configMapInventory(client: Client, release: string): InventoryStore {
  const name = `k3v-release-${release}`
  return {
    load: async (options) => {
      const found = await client.get(configMaps, { namespace: inventoryNamespace, name }, options)
      const text = found?.data?.['objects']
      return text === undefined ? undefined : (JSON.parse(text) as ObjectKey[])
    },
    save: async (keys, options) => {
      const map: ConfigMap & { metadata: { name: string } } = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: inventoryNamespace, labels: { 'k3v.dev/inventory': release } },
        data: { objects: JSON.stringify(keys) },
      }
      await client.apply(configMaps, map, { fieldManager: manager, force: true, ...options })
    },
  }
}
