// Config maps on the host: their data and nothing else.

import type { ConfigMap } from '../../api/models.ts'
import { ownedMetadata } from '../owner.ts'
import { copyNamed, type FieldRules, type Translation, type TranslationContext } from './translation.ts'

export const configMapRules: FieldRules<ConfigMap> = {
  copied: ['binaryData', 'data'],
  rewritten: ['apiVersion', 'kind', 'metadata'],
  dropped: { immutable: 'the plane refuses the change' },
}

export function toHostConfigMap(configMap: ConfigMap, { owner }: TranslationContext): Translation<ConfigMap> {
  const { namespace = '', name = '', uid = '' } = configMap.metadata
  const metadata = ownedMetadata(owner, { group: '', kind: 'ConfigMap', namespace, name, uid })
  const host = { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...copyNamed(configMap, configMapRules) }
  return { host: { ...host, metadata }, ignored: [], refusals: [] }
}
