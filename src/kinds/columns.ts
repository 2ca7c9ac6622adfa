// Columns and cells as `kubectl get` shows them: names, ages, and lists cut short.
// Which columns a kind has stands in its file.

import type { KubeObject } from '../api/object.ts'
import type { Column } from '../api/table.ts'
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
  const then = Date.parse(textOf(timestamp))
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then)
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Upstream: apimachinery/pkg/util/duration.HumanDuration. Two units at most, fewer as the time grows. */
export function humanDuration(ms: number): string {
  // A clock that runs a little behind is forgiven; more than that is a wrong clock.
  if (ms <= -2 * second) return '<invalid>'
  if (ms < second) return '0s'
  if (ms < 2 * minute) return `${Math.floor(ms / second)}s`
  if (ms < 10 * minute) return twoUnits(ms, [minute, 'm'], [second, 's'])
  if (ms < 3 * hour) return `${Math.floor(ms / minute)}m`
  if (ms < 8 * hour) return twoUnits(ms, [hour, 'h'], [minute, 'm'])
  if (ms < 2 * day) return `${Math.floor(ms / hour)}h`
  if (ms < 8 * day) return twoUnits(ms, [day, 'd'], [hour, 'h'])
  if (ms < 2 * 365 * day) return `${Math.floor(ms / day)}d`
  if (ms < 8 * 365 * day) {
    const days = Math.floor(ms / day)
    const rest = days % 365
    return rest === 0 ? `${Math.floor(days / 365)}y` : `${Math.floor(days / 365)}y${rest}d`
  }
  return `${Math.floor(ms / (365 * day))}y`
}

function twoUnits(
  ms: number,
  [big, bigName]: [number, string],
  [small, smallName]: [number, string],
): string {
  const rest = Math.floor((ms % big) / small)
  return `${Math.floor(ms / big)}${bigName}${rest === 0 ? '' : `${rest}${smallName}`}`
}

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
