// Takes the host's names out of texts that a tenant gets to read.

import type { AnyObject } from '../client/client.ts'
import { hostName } from './names.ts'
import type { Owner } from './owner.ts'

/**
 * A function that puts the tenant's names where the host's stood: those of the object itself and of what it refers to.
 * Other copies' names are cut to their readable part, and the host's namespace becomes the object's own.
 */
export function createScrub(
  owner: Owner,
  namespace: string,
  objects: readonly { readonly kind: string; readonly name: string; readonly group?: string }[],
): (text: string) => string {
  const { planeUid, hostNamespace } = owner
  const names = objects.map(({ group = '', kind, name }) => ({
    from: hostName({ planeUid, group, kind, namespace, name }),
    to: name,
  }))
  const isHostNamespace = wordPattern(hostNamespace)
  const isPlane = wordPattern(planeUid)
  return (text) => {
    let clean = text
    for (const { from, to } of names) clean = clean.replaceAll(from, to)
    return clean
      .replace(/\b([a-z][a-z0-9-]*?)-[a-z2-7]{26}\b/g, '$1')
      .replace(isPlane, '')
      .replace(isHostNamespace, namespace)
  }
}

/** The name where it stands alone; a longer name that begins or ends with it is another one. */
function wordPattern(name: string): RegExp {
  const escaped = name.replace(/[^a-zA-Z0-9]/g, (char) => `\\${char}`)
  return new RegExp(`(?<![\\w.-])${escaped}(?![\\w.-]*\\w)`, 'g')
}

/** What a text about an object may name: the object itself. */
export const itself = (kind: string, { metadata }: AnyObject) => [{ kind, name: metadata.name ?? '' }]
