// lock.json: what a package archive holds and what it will ask for, so that nobody has to run it to know.
// Digests of everything; images, served APIs and host rights as computed from the objects; what no proof could tell.

import { createHash } from 'node:crypto'
import type { KubeObject } from '../../api/object.ts'
import { byUnits } from '../files.ts'
import type { RenderedObject } from '../render/objects.ts'

export interface LockedFile {
  readonly path: string
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

export interface ServedApi {
  readonly group: string
  readonly kind: string
  readonly plural: string
  readonly scope: string
  readonly versions: readonly string[]
}

/** Which of the host's rights the package's own objects need, by tier; an operator may make more at run time. */
export interface HostRights {
  readonly core: true
  readonly interactive: true
  /** `ingresses`, `networkpolicies`, `poddisruptionbudgets`: each is granted by name. */
  readonly optional: readonly string[]
}

export interface Lock {
  readonly apiVersion: 'k3v.dev/v1'
  readonly kind: 'Lock'
  readonly name: string
  readonly version: string
  /** Every file of the archive but the lock. */
  readonly files: readonly LockedFile[]
  /** Of what is applied: all files but the program's. */
  readonly packageDigest: string
  /** Of the control plane's program: a new one restarts the pod. */
  readonly programDigest: string
  readonly images: readonly string[]
  readonly apis: readonly ServedApi[]
  readonly rights: HostRights
  readonly objects: number
  readonly tools: Readonly<Record<string, string>>
  readonly unproved: readonly string[]
}

export interface LockInput {
  readonly name: string
  readonly version: string
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly objects: readonly RenderedObject[]
  readonly tools: Readonly<Record<string, string>>
  readonly unproved: readonly string[]
}

export const programFolder = 'program/'

export function makeLock({ name, version, files, objects, tools, unproved }: LockInput): Lock {
  const locked = [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: sha256(bytes) }))
  locked.sort((a, b) => byUnits(a.path, b.path))
  const bare = objects.map(({ object }) => object)
  return {
    apiVersion: 'k3v.dev/v1',
    kind: 'Lock',
    name,
    version,
    ...digestsOf(locked),
    images: imagesOf(bare),
    apis: apisOf(bare),
    rights: rightsOf(bare),
    objects: objects.length,
    tools,
    unproved,
    files: locked,
  }
}

/** What the two digests of a lock must be for these files. */
export function digestsOf(files: readonly LockedFile[]): { packageDigest: string; programDigest: string } {
  const digest = (some: readonly LockedFile[]): string =>
    `sha256:${sha256(Buffer.from(some.map(({ path, sha256: hex }) => `${hex}  ${path}\n`).join('')))}`
  const isProgram = ({ path }: LockedFile): boolean => path.startsWith(programFolder)
  return {
    packageDigest: digest(files.filter((file) => !isProgram(file))),
    programDigest: digest(files.filter(isProgram)),
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Every image that a container of these objects names, wherever a pod template stands. */
export function imagesOf(objects: readonly KubeObject[]): string[] {
  const images = new Set<string>()
  const stack: unknown[] = objects.filter(({ kind }) => kind !== 'CustomResourceDefinition')
  while (stack.length > 0) {
    const node = stack.pop()
    if (typeof node !== 'object' || node === null) continue
    for (const [field, value] of Object.entries(node)) {
      if (/^(c|initC|ephemeralC)ontainers$/.test(field) && Array.isArray(value)) {
        for (const { image } of value as { readonly image?: unknown }[])
          if (typeof image === 'string') images.add(image)
      }
      stack.push(value)
    }
  }
  return [...images].sort(byUnits)
}

interface DefinitionSpec {
  readonly group: string
  readonly scope: string
  readonly names: { readonly kind: string; readonly plural: string }
  readonly versions: readonly { readonly name: string; readonly served: boolean }[]
}

function apisOf(objects: readonly KubeObject[]): ServedApi[] {
  return objects
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map((object) => {
      const { group, scope, names, versions } = object['spec'] as DefinitionSpec
      const served = versions.filter((version) => version.served).map((version) => version.name)
      return { group, kind: names.kind, plural: names.plural, scope, versions: served }
    })
}

const optionalRights: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  NetworkPolicy: 'networkpolicies',
  PodDisruptionBudget: 'poddisruptionbudgets',
}

function rightsOf(objects: readonly KubeObject[]): HostRights {
  const wanted = objects.flatMap(({ kind = '' }) =>
    Object.hasOwn(optionalRights, kind) ? [optionalRights[kind] ?? ''] : [],
  )
  return { core: true, interactive: true, optional: [...new Set(wanted)].sort(byUnits) }
}
