// Volumes on the host: sources renamed, tokens turned into files of a Secret that sync keeps fresh.
// Issuing the tokens is tokens.ts's of the room.

import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '../../api/models.ts'
import { toHostClaimSpec } from './claim.ts'
import type { DownwardFields } from './downward.ts'
import { projectionRules, volumeRules } from './fields.ts'
import { copyNamed, type Findings, type TranslationContext } from './translation.ts'

/** One token that a pod mounts. */
export interface TokenWish {
  /** The key in the pod's token Secret. */
  readonly key: string
  /** Empty: the plane's API. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
}

export interface VolumeContext {
  readonly context: TranslationContext
  readonly findings: Findings
  readonly downward: DownwardFields
  readonly rename: (kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim', name: string) => string
  readonly tokenSecret: string
  readonly tokens: TokenWish[]
}

const tokenSecondsDefault = 3_600

export function toHostVolume(volume: Volume, path: string, parts: VolumeContext): Volume {
  parts.findings.note(volume, volumeRules, path)
  const { rename, findings } = parts
  const copy: Volume = { ...copyNamed(volume, volumeRules), name: volume.name }
  const { configMap, secret, persistentVolumeClaim, downwardAPI, projected, ephemeral } = volume
  if (configMap !== undefined) {
    const { name = '', items, defaultMode, optional } = configMap
    return { ...copy, configMap: { name: rename('ConfigMap', name), items, defaultMode, optional } }
  }
  if (secret !== undefined) {
    const { secretName = '', items, defaultMode, optional } = secret
    return { ...copy, secret: { secretName: rename('Secret', secretName), items, defaultMode, optional } }
  }
  if (persistentVolumeClaim !== undefined) {
    const { claimName, readOnly } = persistentVolumeClaim
    return {
      ...copy,
      persistentVolumeClaim: { claimName: rename('PersistentVolumeClaim', claimName), readOnly },
    }
  }
  if (downwardAPI !== undefined) {
    const { items, defaultMode } = downwardAPI
    return { ...copy, downwardAPI: { defaultMode, items: toHostFiles(items, parts) } }
  }
  if (projected !== undefined) {
    const sources = (projected.sources ?? []).map((source, index) =>
      toHostProjection(source, `${path}.projected.sources[${index}]`, parts),
    )
    return { ...copy, projected: { defaultMode: projected.defaultMode, sources } }
  }
  if (ephemeral !== undefined) {
    const template = ephemeral.volumeClaimTemplate
    if (template === undefined) return copy
    const spec = toHostClaimSpec(template.spec, parts.context, findings)
    return { ...copy, ephemeral: { volumeClaimTemplate: { spec } } }
  }
  return copy
}

function toHostFiles(
  items: readonly DownwardAPIVolumeFile[] | undefined,
  { downward }: VolumeContext,
): readonly DownwardAPIVolumeFile[] | undefined {
  return items?.map(({ path, mode, fieldRef, resourceFieldRef }) => ({
    path,
    mode,
    resourceFieldRef,
    fieldRef: fieldRef === undefined ? undefined : downward.rewrite(fieldRef),
  }))
}

function toHostProjection(source: VolumeProjection, path: string, parts: VolumeContext): VolumeProjection {
  const { rename, findings, tokens, tokenSecret } = parts
  findings.note(source, projectionRules, path)
  const { configMap, secret, downwardAPI, serviceAccountToken } = source
  if (configMap !== undefined) {
    const { name = '', items, optional } = configMap
    return { configMap: { name: rename('ConfigMap', name), items, optional } }
  }
  if (secret !== undefined) {
    const { name = '', items, optional } = secret
    return { secret: { name: rename('Secret', name), items, optional } }
  }
  if (downwardAPI !== undefined) return { downwardAPI: { items: toHostFiles(downwardAPI.items, parts) } }
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = tokenSecondsDefault, path: file } = serviceAccountToken
    const key = `token-${tokens.length}`
    tokens.push({
      key,
      audiences: audience === undefined || audience === '' ? [] : [audience],
      expirationSeconds,
    })
    const items: readonly KeyToPath[] = [{ key, path: file }]
    return { secret: { name: tokenSecret, items } }
  }
  return {}
}
