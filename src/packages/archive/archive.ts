// A package as one file: sources, rendered objects, lock, and the program of the control plane that will run them.
// How files become bytes is tar.ts's.

import { readFile, stat } from 'node:fs/promises'
import { valid } from 'semver'
import type { KubeObject } from '../../api/object.ts'
import { PackageError, packageError } from '../failure.ts'
import type { PackageFiles } from '../files.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { RenderedObject } from '../render/objects.ts'
import { digestsOf, type Lock, type LockedFile, makeLock, programFolder, sha256 } from './lock.ts'
import { compressedBytesMax, readTarball, writeTarball } from './tar.ts'

export interface ArchiveInput {
  readonly manifest: Manifest
  readonly sources: PackageFiles
  readonly objects: readonly RenderedObject[]
  /** The control plane's files by name, without folders. */
  readonly program: ReadonlyMap<string, Uint8Array>
  readonly tools: Readonly<Record<string, string>>
  readonly unproved: readonly string[]
}

export interface Archive {
  readonly bytes: Buffer
  /** `sha256:…` of the bytes. */
  readonly digest: string
  readonly lock: Lock
}

/** A package that was read: verified against its lock. */
export interface Package {
  readonly name: string
  readonly version: string
  /** `sha256:…` of the archive's bytes. */
  readonly digest: string
  readonly lock: Lock
  readonly manifest: Manifest
  /** In the order in which they are applied. */
  readonly objects: readonly RenderedObject[]
  readonly program: ReadonlyMap<string, Uint8Array>
  /** The folder it was packed from. */
  readonly sources: PackageFiles
}

const lockPath = 'lock.json'
const objectsPath = 'rendered/objects.json'
const manifestPath = 'rendered/manifest.json'
const sourcesFolder = 'package/'

export async function writePackage(input: ArchiveInput): Promise<Archive> {
  const { manifest, sources, objects, program, tools, unproved } = input
  const files = new Map<string, Uint8Array>()
  for (const [path, bytes] of sources) files.set(`${sourcesFolder}${path}`, bytes)
  for (const [name, bytes] of program) files.set(`${programFolder}${name}`, bytes)
  files.set(manifestPath, jsonOf(manifest))
  files.set(objectsPath, jsonOf(objects))
  const { name, version } = manifest
  const lock = makeLock({ name, version, files, objects, tools, unproved })
  files.set(lockPath, jsonOf(lock))
  const bytes = await writeTarball(files)
  return { bytes, digest: `sha256:${sha256(bytes)}`, lock }
}

/** From a file's path or from bytes. Throws PackageError for anything that `writePackage` would not have written. */
export async function readPackage(from: string | Uint8Array): Promise<Package> {
  const file = typeof from === 'string' ? from : 'package'
  const bytes = typeof from === 'string' ? await readArchiveFile(from) : from
  const files = await readTarball(bytes, file)
  const lock = readLock(files, file)
  verify(files, lock, file)
  const inFolder = (folder: string) =>
    new Map(
      [...files]
        .filter(([path]) => path.startsWith(folder))
        .map(([path, content]) => [path.slice(folder.length), content]),
    )
  const manifest = parse<Manifest>(files, manifestPath, file)
  if (manifest.name !== lock.name || manifest.version !== lock.version)
    throw packageError(file, 'damaged: lock and manifest name different packages')
  return {
    name: lock.name,
    version: lock.version,
    digest: `sha256:${sha256(bytes)}`,
    lock,
    manifest,
    objects: readObjects(files, file),
    program: inFolder(programFolder),
    sources: inFolder(sourcesFolder),
  }
}

export const archiveName = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}-${version}.tgz`

export const isPackageName = (name: string): boolean =>
  /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 40

const jsonOf = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`)

async function readArchiveFile(path: string): Promise<Buffer> {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) throw packageError(path, 'no such file')
  if (!info.isFile()) throw packageError(path, 'not a package archive; k3v pack makes one of a folder')
  if (info.size > compressedBytesMax) throw packageError(path, `more than ${compressedBytesMax} bytes`)
  return readFile(path)
}

function parse<T>(files: ReadonlyMap<string, Uint8Array>, path: string, file: string): T {
  const bytes = files.get(path)
  if (bytes === undefined) throw packageError(file, `damaged: ${path} is missing`)
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as T
  } catch (error) {
    throw new PackageError([{ file, message: `damaged: ${path} is not JSON` }], { cause: error })
  }
}

function readLock(files: ReadonlyMap<string, Uint8Array>, file: string): Lock {
  const lock = parse<Partial<Lock> | null>(files, lockPath, file)
  if (lock?.apiVersion !== 'k3v.dev/v1' || lock.kind !== 'Lock' || !Array.isArray(lock.files)) {
    throw packageError(file, `damaged, or made by another version: ${lockPath} is not a lock of k3v.dev/v1`)
  }
  const { name, version } = lock
  if (typeof name !== 'string' || !isPackageName(name))
    throw packageError(file, `${JSON.stringify(name)} is no name of a package`)
  if (typeof version !== 'string' || valid(version) === null || !/^[0-9]/.test(version)) {
    throw packageError(file, `${JSON.stringify(version)} is no version of a package`)
  }
  return lock as Lock
}

/** Exactly the files of the lock, with exactly their digests: nothing missing, nothing extra, nothing changed. */
function verify(files: ReadonlyMap<string, Uint8Array>, lock: Lock, file: string): void {
  const found: LockedFile[] = [...files]
    .filter(([path]) => path !== lockPath)
    .map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: sha256(bytes) }))
  const known = new Map(lock.files.map((locked) => [locked.path, locked]))
  for (const { path, sha256: digest } of found) {
    const locked = known.get(path)
    if (locked === undefined) throw packageError(file, `damaged: ${path} is not in the lock`)
    if (locked.sha256 !== digest)
      throw packageError(file, `damaged: ${path} does not have the digest of the lock`)
  }
  if (known.size !== found.length || lock.files.length !== found.length)
    throw packageError(file, 'damaged: files of the lock are missing')
  const { packageDigest, programDigest } = digestsOf(found)
  if (packageDigest !== lock.packageDigest || programDigest !== lock.programDigest) {
    throw packageError(file, 'damaged: the lock does not have the digests of its files')
  }
}

function readObjects(files: ReadonlyMap<string, Uint8Array>, file: string): readonly RenderedObject[] {
  const objects = parse<readonly RenderedObject[]>(files, objectsPath, file)
  const isObject = ({ object }: { readonly object?: KubeObject }): boolean =>
    typeof object?.apiVersion === 'string' &&
    typeof object.kind === 'string' &&
    typeof object.metadata?.name === 'string'
  if (!Array.isArray(objects) || objects.length === 0 || !objects.every(isObject)) {
    throw packageError(file, `damaged: ${objectsPath} holds no objects`)
  }
  return objects
}
