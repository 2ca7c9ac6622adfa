// Whether two values are the same JSON, and a short digest of one.
// Absent and undefined are the same, and so are lists and objects with equal content in any order of fields.

import { createHash } from 'node:crypto'

export function isSameJson(one: unknown, other: unknown): boolean {
  return one === other || canonical(one) === canonical(other)
}

export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32)
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, inner]) => `${JSON.stringify(field)}:${canonical(inner)}`)
  return `{${fields.join(',')}}`
}
