// Short ways to write rules down as data: lists are texts, and the core group is called `core`.

import type { PolicyRule } from '../../api/contracts.ts'

/** Rules by the name of their role. */
export type RoleTable = Readonly<Record<string, readonly PolicyRule[]>>

export const read = 'get list watch'
export const write = 'create delete deletecollection patch update'
export const readWrite = 'create delete deletecollection get list patch update watch'

/** Verbs, groups, resources and names, each a list with blanks between. */
export function allow(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return {
    apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
    ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
    resources: resources.split(' '),
    verbs: verbs.split(' '),
  }
}

export function paths(verbs: string, urls: string): PolicyRule {
  return { nonResourceURLs: urls.split(' '), verbs: verbs.split(' ') }
}

/** What every component needs to report. */
export const events = allow('create patch update', 'core events.k8s.io', 'events')
