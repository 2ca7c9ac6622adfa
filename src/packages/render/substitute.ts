// Puts values where their placeholders stand, in documents that are parsed already: no value adds a document, a kind or
// a key. A placeholder that is a whole unquoted scalar becomes the value itself; inside text it becomes text.

import { packageError } from '../failure.ts'
import type { Rendered } from '../sandbox/protocol.ts'

export interface Substitution {
  readonly rendered: Rendered
  readonly nonce: string
}

type Value = Rendered['values'][number]

/** Throws PackageError naming the value that would change the structure, and its line in the template. */
export function substitute(document: unknown, { rendered, nonce }: Substitution): unknown {
  const pattern = new RegExp(`k3vValue${nonce}N(\\d+)E`, 'g')
  const fail = (value: Value | undefined, message: string): never => {
    throw packageError(rendered.file, `${value?.name ?? 'a value'} ${message}`, { line: value?.line })
  }
  const valueAt = (digits: string | undefined): Value | undefined => rendered.values[Number(digits)]
  const firstIn = (text: string): Value | undefined => valueAt(new RegExp(pattern.source).exec(text)?.[1])

  const text = (source: string): unknown => {
    const whole = new RegExp(`^${pattern.source}$`).exec(source)
    if (whole !== null) return valueAt(whole[1])?.value ?? null
    return source.replace(pattern, (_, digits: string) => {
      const value = valueAt(digits)
      if (typeof value?.value === 'object' && value.value !== null) {
        fail(value, 'is a list or a mapping and cannot stand inside text; write it alone, or {{json …}}')
      }
      return String(value?.value ?? '')
    })
  }
  const walk = (node: unknown): unknown => {
    if (typeof node === 'string') return text(node)
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(
      Object.entries(node).map(([key, inner]) => {
        const value = firstIn(key)
        if (value !== undefined) fail(value, 'is used as a key; a value cannot name a field')
        return [key, walk(inner)]
      }),
    )
  }
  refuseIdentity(document, (source) => {
    const value = firstIn(source)
    if (value !== undefined) fail(value, 'is used as apiVersion or kind; write those out')
  })
  return walk(document)
}

function refuseIdentity(document: unknown, check: (text: string) => void): void {
  if (typeof document === 'string') check(document)
  if (typeof document !== 'object' || document === null) return
  const { apiVersion, kind, items } = document as Readonly<Record<string, unknown>>
  for (const field of [apiVersion, kind]) if (typeof field === 'string') check(field)
  if (Array.isArray(items)) for (const item of items) refuseIdentity(item, check)
}
