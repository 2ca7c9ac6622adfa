// Serves what stored CustomResourceDefinitions describe, from the first moment on and after each change.
// Turning a definition into kinds is crds/'s; the conditions that say when are a controller's.

import type { KubeObject } from '../api/object.ts'
import type { StoredObject } from '../api/stored.ts'
import { sameJson } from '../crds/copy.ts'
import { isTrue, readDefinition } from '../crds/definition/definition.ts'
import { definitionGroup, definitionPlural } from '../crds/definition/rules.ts'
import { kindsOfDefinition } from '../crds/kind.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Logger } from '../platform/log.ts'
import { type Catalog, resourcePrefix } from './catalog.ts'

/**
 * Serves every established definition before it returns, and follows changes until the answered function is called.
 * A definition that cannot be used is logged and left out; it never stops the others.
 */
export function serveCustomResources({ catalog, log }: { catalog: Catalog; log: Logger }): () => void {
  const prefix = resourcePrefix({ group: definitionGroup, resource: definitionPlural })
  const following: Following = { catalog, log, served: new Set() }
  for (const stored of catalog.cache.list(prefix)) follow(following, stored, undefined)
  return catalog.cache.subscribe(prefix, (events) => {
    for (const { type, object, before } of events) {
      if (type === 'DELETED') stop(following, object.header.name)
      else follow(following, object, before)
    }
  })
}

interface Following {
  readonly catalog: Catalog
  readonly log: Logger
  readonly served: Set<string>
}

function follow(following: Following, stored: StoredObject, before: StoredObject | undefined): void {
  const { catalog, log, served } = following
  // Not even reading the header may fail: one poisoned object must not take the process down.
  let name = stored.key
  try {
    name = stored.header.name
    // The same kinds go on being served while only conditions move.
    const isSame = before !== undefined && served.has(name) && isServedAlike(before.object, stored.object)
    if (isSame && areVerbsAlike(before.object, stored.object)) return
    const kinds = kindsOf(catalog, stored.object)
    if (kinds.length === 0) {
      stop(following, name)
      return
    }
    catalog.serveCustom(name, kinds, { keepsWatches: isSame })
    served.add(name)
  } catch (error) {
    log.error('a custom resource definition cannot be served', { name, error: String(error) })
    stop(following, name)
  }
}

function stop({ catalog, served }: Following, name: string): void {
  if (served.delete(name)) catalog.serveCustom(name, [])
}

function kindsOf(catalog: Catalog, object: KubeObject): readonly Kind[] {
  if (!isTrue(readDefinition(object), 'Established')) return []
  const kinds = kindsOfDefinition(object)
  const builtIn = catalog.kinds().filter((kind) => !kind.isCustom)
  const shadowed = kinds.find((kind) =>
    builtIn.some((one) => one.group === kind.group && one.plural === kind.plural),
  )
  if (shadowed === undefined) return kinds
  throw new Error(`${shadowed.plural}.${shadowed.group} is a built-in resource`)
}

function isServedAlike(before: KubeObject, after: KubeObject): boolean {
  const old = readDefinition(before)
  const next = readDefinition(after)
  return (
    sameJson(old.acceptedNames, next.acceptedNames) &&
    isTrue(old, 'Established') === isTrue(next, 'Established') &&
    sameJson(before['spec'], after['spec'])
  )
}

/** While a definition terminates nothing new may be made; who watches sees the instances go. */
function areVerbsAlike(before: KubeObject, after: KubeObject): boolean {
  return isTrue(readDefinition(before), 'Terminating') === isTrue(readDefinition(after), 'Terminating')
}
