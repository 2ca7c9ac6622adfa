// Service accounts. Tokens are issued through the `token` subresource, short-lived and bound.

import type { KubeObject } from '../../api/object.ts'
import { defineKind } from '../define.ts'
import { itemsOf } from '../fields.ts'
import { set } from '../fill.ts'
import type { Kind } from '../kind.ts'

export const serviceAccount: Kind = defineKind({
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  prepareCreate: onlyNames,
  prepareUpdate: onlyNames,
  subresources: [
    {
      name: 'token',
      verbs: ['create'],
      speaks: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
    },
  ],
})

/** Of a reference to a secret only its name counts. */
function onlyNames(object: KubeObject): KubeObject {
  if (!Array.isArray(object['secrets'])) return object
  return set(
    object,
    'secrets',
    itemsOf(object['secrets']).map(({ name }) => ({ name })),
  )
}
