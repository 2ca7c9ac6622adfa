// Where a container's mounts really are: a volume's folder, or the part of it that a subPath names.
// Filling the volumes is pod-volumes.ts's.

import { cp, mkdir, realpath, rm } from 'node:fs/promises'
import { dirname, join, posix, sep } from 'node:path'
import type { Container, VolumeMount } from '../../api/models.ts'
import { ConfigError } from '../pods/config-source.ts'
import { expand } from '../pods/expand.ts'
import type { Mount } from '../preload/config.ts'

export interface VolumeFolder {
  readonly path: string
  readonly isReadOnly: boolean
  /** Its files are replaced as a whole: a part of it is copied, for it would vanish. */
  readonly isAtomic: boolean
}

export interface MountsOptions {
  readonly container: Container
  readonly volumes: ReadonlyMap<string, VolumeFolder>
  readonly env: Readonly<Record<string, string>>
  /** The container's own folder. */
  readonly directory: string
}

export async function mountsOf({
  container,
  volumes,
  env,
  directory,
}: MountsOptions): Promise<readonly Mount[]> {
  const mounts: Mount[] = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = volumes.get(mount.name)
    if (volume === undefined) throw new ConfigError(`there is no volume ${JSON.stringify(mount.name)}`)
    const copy = join(directory, 'subpaths', String(index))
    mounts.push({
      path: trimmed(mount.mountPath),
      source: await sourceOf(mount, { volume, env, copy }),
      isReadOnly: mount.readOnly === true || volume.isReadOnly,
    })
  }
  return mounts
}

const trimmed = (path: string): string => {
  const plain = posix.normalize(path.startsWith('/') ? path : `/${path}`)
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain
}

interface Source {
  readonly volume: VolumeFolder
  readonly env: Readonly<Record<string, string>>
  readonly copy: string
}

async function sourceOf(
  { subPath = '', subPathExpr = '' }: VolumeMount,
  { volume, env, copy }: Source,
): Promise<string> {
  const part = subPathExpr === '' ? subPath : expand(subPathExpr, env)
  if (part === '') return volume.path
  const wanted = join(volume.path, part)
  // Only volumes that a program writes to get what is missing, as a folder.
  if (!volume.isAtomic) await mkdir(wanted, { recursive: true }).catch(() => undefined)
  const real = await realpath(wanted).catch(() => undefined)
  const root = await realpath(volume.path)
  if (real === undefined)
    throw new ConfigError(
      `failed to prepare subPath for volumeMount ${JSON.stringify(part)}: there is no such file`,
    )
  if (real !== root && !real.startsWith(root + sep))
    throw new ConfigError(`subPath ${JSON.stringify(part)} leads out of its volume`)
  if (!volume.isAtomic) return real
  await rm(copy, { recursive: true, force: true })
  await mkdir(dirname(copy), { recursive: true })
  await cp(real, copy, { recursive: true, dereference: true })
  return copy
}
