// Where a resource lives in the URL space, and how options become a query.
// What an answer means is http.ts's.

import type { DeleteOptions, ListOptions, ResourceRef, WatchOptions, WriteOptions } from './client.ts'

export type Query = Readonly<Record<string, string | readonly string[]>>

/** Names are escaped, so that no name can leave its place in the path. */
export function pathOf(
  resource: ResourceRef,
  target: { readonly namespace?: string | undefined; readonly name?: string | undefined } = {},
): string {
  const { group, version, isNamespaced, subresource } = resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const namespace = target.namespace ?? ''
  const parts = [
    ...(isNamespaced && namespace !== '' ? ['namespaces', namespace] : []),
    resource.resource,
    ...(target.name === undefined || target.name === '' ? [] : [target.name]),
    ...(subresource === undefined ? [] : [subresource]),
  ]
  return `${root}/${parts.map(encodeURIComponent).join('/')}`
}

export function listQuery(options: ListOptions): Query {
  return defined({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit?.toString(),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  })
}

export function watchQuery(options: WatchOptions): Query {
  return defined({
    watch: 'true',
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    allowWatchBookmarks: options.allowWatchBookmarks === true ? 'true' : undefined,
    timeoutSeconds: options.timeoutSeconds?.toString(),
  })
}

export function writeQuery(options: WriteOptions & { readonly force?: boolean | undefined }): Query {
  return defined({
    dryRun: options.isDryRun === true ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    force: options.force === undefined ? undefined : String(options.force),
  })
}

/** The body of a DELETE, as kubectl sends it. */
export function deleteBody(options: DeleteOptions): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    ...(options.isDryRun === true ? { dryRun: ['All'] } : {}),
  }
}

export function searchOf(query: Query | undefined): string {
  if (query === undefined) return ''
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'string' ? [value] : value) search.append(name, one)
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

function defined(query: Readonly<Record<string, string | undefined>>): Query {
  return Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
