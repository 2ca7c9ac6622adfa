// Columns and cells as `kubectl get` shows them: names, ages, and lists cut short.
// Which columns a kind has stands in its file.

import type { KubeObject } from '../api/object.ts'
import type { Column } from '../api/table.ts'
import { ageSince, humanAge } from '../api/time.ts'
import { textOf } from './fields.ts'

export type Cell = string | number | boolean | null

export const text = (name: string): Column => ({ name, type: 'string' })
export const integer = (name: string): Column => ({ name, type: 'integer' })
export const boolean = (name: string): Column => ({ name, type: 'boolean' })
/** Shown with `-o wide` only. */
export const wide = (name: string): Column => ({ name, type: 'string', priority: 1 })

export const nameColumn: Column = { name: 'Name', type: 'string', format: 'name' }
export const ageColumn: Column = text('Age')

export const nameOf = (object: KubeObject): string => object.metadata.name ?? ''

/** `5m`, `2d3h`, or `<unknown>` without a creation time. */
export function ageOf(object: KubeObject, now: number): string {
  return since(object.metadata.creationTimestamp, now)
}

/** How long ago a time was. */
export function since(timestamp: unknown, now: number): string {
  return ageSince(textOf(timestamp), now)
}

/** A span of time, `2d3h`. */
export const humanDuration: (spanMs: number) => string = humanAge

/** A label map as `a=b,c=d`, or `<none>`. */
export function labelsCell(labels: unknown): string {
  const pairs = Object.entries((labels ?? {}) as Record<string, string>)
  if (pairs.length === 0) return '<none>'
  return pairs
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',')
}

/** `a,b,c + 2 more...`, or `<none>`. */
export function shortList(items: readonly string[], max = 3): string {
  if (items.length === 0) return '<none>'
  if (items.length <= max) return items.join(',')
  return `${items.slice(0, max).join(',')} + ${items.length - max} more...`
}
