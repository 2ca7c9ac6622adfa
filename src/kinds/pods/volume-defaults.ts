// What upstream fills into the volumes of a pod spec.
// Upstream: pkg/apis/core/v1/defaults.go, and the defaults that stand as tags on the types.

import { type Fields, fieldsOf, isPresent, textOf } from '../fields.ts'
import { each, fill, fillZero, set, within } from '../fill.ts'
import { isLatest } from './image.ts'

const mode0644 = 0o644

export function defaultVolume(volume: Fields): Fields {
  const hasSource = Object.entries(volume).some(([name, value]) => name !== 'name' && isPresent(value))
  if (!hasSource) return { ...volume, emptyDir: {} }
  return Object.entries(sources).reduce((changed, [name, change]) => within(changed, name, change), volume)
}

const withMode = (source: Fields): Fields => fill(source, { defaultMode: mode0644 })

const withFields = (source: Fields): Fields =>
  each(source, 'items', (file) =>
    within(
      within(file, 'fieldRef', (reference) => fill(reference, { apiVersion: 'v1' })),
      'resourceFieldRef',
      (reference) => fillZero(reference, { divisor: '0' }),
    ),
  )

const sources: Readonly<Record<string, (source: Fields) => Fields>> = {
  secret: withMode,
  configMap: withMode,
  downwardAPI: (source) => withFields(withMode(source)),
  projected: (source) => each(withMode(source), 'sources', defaultProjection),
  // Empty text is a value here: it means that nothing is checked before the mount.
  hostPath: (source) => (isPresent(source['type']) ? source : set(source, 'type', '')),
  image: (source) =>
    fill(source, { pullPolicy: isLatest(textOf(source['reference'])) ? 'Always' : 'IfNotPresent' }),
  ephemeral: (source) =>
    within(source, 'volumeClaimTemplate', (template) =>
      set(template, 'spec', fill(fieldsOf(template['spec']), { volumeMode: 'Filesystem' })),
    ),
  iscsi: (source) => fill(source, { iscsiInterface: 'default' }),
  rbd: (source) => fill(source, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
  azureDisk: (source) => {
    const filled = fill(source, { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared' })
    return isPresent(filled['readOnly']) ? filled : set(filled, 'readOnly', false)
  },
  scaleIO: (source) => fill(source, { storageMode: 'ThinProvisioned', fsType: 'xfs' }),
}

function defaultProjection(projection: Fields): Fields {
  const withExpiry = within(projection, 'serviceAccountToken', (token) =>
    fill(token, { expirationSeconds: 3600 }),
  )
  return within(withExpiry, 'downwardAPI', withFields)
}
