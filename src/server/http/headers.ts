// Request headers over Node's raw list, so that repeated ones (Impersonate-Group) are not glued together.
// What a header means is the business of who asks for it.

import type { RequestHeaders } from './exchange.ts'

// A second one of these is an attempt to be understood differently by two readers.
const singular = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
  'x-remote-user',
])

/** `raw` alternates names and values, as Node hands them out for both protocols. */
export class RawHeaders implements RequestHeaders {
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(raw: readonly string[]) {
    const values = new Map<string, string[]>()
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const name = (raw[at] ?? '').toLowerCase()
      const known = values.get(name)
      if (known === undefined) values.set(name, [raw[at + 1] ?? ''])
      else known.push(raw[at + 1] ?? '')
    }
    this.#values = values
  }

  get(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  names(): Iterable<string> {
    return this.#values.keys()
  }

  /** The first header that must stand once and does not. */
  get duplicate(): string | undefined {
    for (const [name, values] of this.#values) if (values.length > 1 && singular.has(name)) return name
    return undefined
  }
}
