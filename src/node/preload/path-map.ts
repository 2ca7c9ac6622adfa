// Which real path stands behind a path that a container names, and back: pure, for the actor and for the preload.
// Whose paths are asked for is files.ts's and arguments.ts's.

import { posix } from 'node:path'
import type { Mount } from './config.ts'

export class PathMap {
  readonly #podDirectory: string
  /** Deepest first: a mount below another hides what stands there. */
  readonly #mounts: readonly Mount[]

  constructor({
    podDirectory,
    mounts,
  }: { readonly podDirectory: string; readonly mounts: readonly Mount[] }) {
    this.#podDirectory = podDirectory
    this.#mounts = [...mounts].sort((a, b) => b.path.length - a.path.length)
  }

  /** The path itself when no mount holds it; asking twice changes nothing. */
  toReal(path: string): string {
    if (!path.startsWith('/')) return path
    const plain = posix.normalize(path)
    // A module knows its own real path and may name what is mounted below it.
    const known = this.#mountAt(plain)
    if (known === undefined && isBelow(plain, this.#podDirectory)) return path
    const virtual = known === undefined ? plain : known.path + plain.slice(known.source.length)
    const mount = this.#mountOf(virtual)
    return mount === undefined || mount === known ? path : mount.source + virtual.slice(mount.path.length)
  }

  /** As the container would name it; a path outside of all mounts is answered as it is. */
  toVirtual(path: string): string {
    const mount = this.#mountAt(path)
    return mount === undefined ? path : mount.path + path.slice(mount.source.length)
  }

  /** Every real path in a text, as error messages hold them. */
  textToVirtual(text: string): string {
    return this.#mounts.reduce((shown, { source, path }) => shown.replaceAll(source, path), text)
  }

  isReadOnly(path: string): boolean {
    const plain = posix.normalize(path)
    return (this.#mountAt(plain) ?? this.#mountOf(plain))?.isReadOnly === true
  }

  #mountAt(path: string): Mount | undefined {
    return this.#mounts.find(({ source }) => isBelow(path, source))
  }

  #mountOf(path: string): Mount | undefined {
    return this.#mounts.find((mount) => isBelow(path, mount.path))
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || (path.startsWith(folder) && path.charCodeAt(folder.length) === 0x2f)
}
