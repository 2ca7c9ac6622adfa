// Asks the host, before anything is written, whether the deployer may do all that a deploy does.
// One error names everything that is missing.

import type { PolicyRule } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Client } from '../../client/client.ts'
import { selfSubjectAccessReviews } from '../../client/resources.ts'

export interface Access {
  readonly verb: string
  readonly group: string
  /** `pods`, or `pods/log`. */
  readonly resource: string
}

/** What deploy, status and delete themselves do with host objects. */
export const deployRules: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: ['configmaps', 'secrets', 'services', 'serviceaccounts'],
    verbs: ['create', 'delete', 'get', 'list', 'patch'],
  },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['delete', 'get'] },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['create', 'delete', 'get', 'patch'] },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'rolebindings'],
    verbs: ['create', 'delete', 'get', 'patch'],
  },
]

/** Each once. */
export function accessesOf(rules: readonly PolicyRule[]): readonly Access[] {
  const found = new Map<string, Access>()
  for (const { apiGroups = [], resources = [], verbs } of rules) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        for (const verb of verbs) found.set(`${verb} ${resource}.${group}`, { verb, group, resource })
      }
    }
  }
  return [...found.values()]
}

// So many questions at once; a host answers one in about a millisecond.
const askedAtOnce = 16

/** What of it the user may not do in this namespace. */
export async function missingAccess(
  client: Client,
  namespace: string,
  accesses: readonly Access[],
  signal?: AbortSignal,
): Promise<readonly Access[]> {
  const missing: Access[] = []
  for (let at = 0; at < accesses.length; at += askedAtOnce) {
    const asked = accesses.slice(at, at + askedAtOnce)
    const answers = await Promise.all(asked.map((access) => isAllowed(client, namespace, access, signal)))
    missing.push(...asked.filter((_, index) => answers[index] === false))
  }
  return missing
}

async function isAllowed(
  client: Client,
  namespace: string,
  { verb, group, resource }: Access,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [plain, subresource] = resource.split('/')
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: { resourceAttributes: { namespace, verb, group, resource: plain, subresource } },
  } as KubeObject
  const answer = (await client.create(selfSubjectAccessReviews as never, review, { signal })) as KubeObject
  return (answer['status'] as { readonly allowed?: boolean } | undefined)?.allowed === true
}

/** `create, patch services, statefulsets.apps; get pods/log`. */
export function describeAccesses(accesses: readonly Access[]): string {
  const verbsOf = new Map<string, string[]>()
  for (const { verb, group, resource } of accesses) {
    const name = group === '' ? resource : `${resource}.${group}`
    verbsOf.set(name, [...(verbsOf.get(name) ?? []), verb])
  }
  const namesOf = new Map<string, string[]>()
  for (const [name, verbs] of verbsOf) {
    const shown = verbs.join(', ')
    namesOf.set(shown, [...(namesOf.get(shown) ?? []), name])
  }
  return [...namesOf].map(([verbs, names]) => `${verbs} ${names.join(', ')}`).join('; ')
}
