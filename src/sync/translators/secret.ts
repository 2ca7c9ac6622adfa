// Secrets on the host: their data, and a type that no controller of the host acts upon.

import type { Secret } from '../../api/models.ts'
import { ownedMetadata } from '../owner.ts'
import { copyNamed, type FieldRules, type Translation, type TranslationContext } from './translation.ts'

export const secretRules: FieldRules<Secret> = {
  copied: ['data'],
  rewritten: ['apiVersion', 'kind', 'metadata', 'type'],
  dropped: {
    immutable: 'the plane refuses the change',
    stringData: 'the plane has made data of it',
  },
}

// Kubelets need these two to pull images. A token type would make the host's controller write a real token into it.
const keptTypes = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg']

export function toHostSecret(secret: Secret, { owner }: TranslationContext): Translation<Secret> {
  const { namespace = '', name = '', uid = '' } = secret.metadata
  const metadata = ownedMetadata(owner, { group: '', kind: 'Secret', namespace, name, uid })
  const type = keptTypes.includes(secret.type ?? '') ? secret.type : 'Opaque'
  const host = { apiVersion: 'v1', kind: 'Secret', ...copyNamed(secret, secretRules), metadata, type }
  return { host, ignored: [], refusals: [] }
}
