// Which resource a kind is served as: what stands between a manifest, which names kinds, and a client, which names
// resources. The plane itself hands in its catalog; a far server is asked by discovery.

import { parseApiVersion } from '../../api/object.ts'
import type { Client, ResourceRef } from '../../client/client.ts'

export interface ServedResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** `deployments` */
  readonly resource: string
  readonly isNamespaced: boolean
}

/** Undefined when nothing of this kind is served now; a definition may change that any moment. */
export type FindResource = (apiVersion: string, kind: string) => ResourceRef | undefined

/** `list` is asked each time, so that new definitions are found. */
export function findIn(list: () => readonly ServedResource[]): FindResource {
  return (apiVersion, kind) => {
    const { group, version } = parseApiVersion(apiVersion)
    const found = list().find(
      (served) => served.group === group && served.version === version && served.kind === kind,
    )
    if (found === undefined) return undefined
    const { resource, isNamespaced } = found
    return { group, version, resource, isNamespaced }
  }
}

interface GroupList {
  readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[]
}
interface ResourceList {
  readonly resources: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
  }[]
}

/** All that a server serves at this moment. */
export async function discover(
  client: Client,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ServedResource[]> {
  const read = async <T>(path: string): Promise<T> => {
    const answer = await client.raw({ method: 'GET', path, ...options })
    return JSON.parse(answer.text) as T
  }
  const { groups } = await read<GroupList>('/apis')
  const versions = [
    'v1',
    ...groups.flatMap((group) => group.versions.map(({ groupVersion }) => groupVersion)),
  ]
  const lists = await Promise.all(
    versions.map(async (groupVersion) => {
      const { resources } = await read<ResourceList>(
        groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`,
      )
      const { group, version } = parseApiVersion(groupVersion)
      return resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind, namespaced }) => ({
          group,
          version,
          kind,
          resource: name,
          isNamespaced: namespaced,
        }))
    }),
  )
  return lists.flat()
}
