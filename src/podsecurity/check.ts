// What a check is, and how it speaks of the containers that it found.

import type { Container, EphemeralContainer, PodSpec } from '../api/models.ts'

export interface Violation {
  /** Upstream's name of the check. */
  readonly check: string
  /** The fields at fault, as paths. */
  readonly fields: readonly string[]
  readonly reason: string
  /** May be empty. */
  readonly detail: string
}

export interface Judged {
  readonly spec: PodSpec
  readonly annotations: Readonly<Record<string, string>>
}

/** Undefined when there is nothing to say. */
export type Check = (pod: Judged) => Violation | undefined

export interface VisitedContainer {
  readonly container: Container | EphemeralContainer
  /** `spec.containers[0]` */
  readonly path: string
}

/** All containers, in upstream's order. */
export function containersOf(spec: PodSpec): readonly VisitedContainer[] {
  const named = (field: 'containers' | 'ephemeralContainers' | 'initContainers') =>
    (spec[field] ?? []).map((container, index) => ({ container, path: `spec.${field}[${index}]` }))
  return [...named('initContainers'), ...named('containers'), ...named('ephemeralContainers')]
}

export const plural = (one: string, many: string, count: number): string => (count === 1 ? one : many)

export const quoted = (names: readonly string[]): string =>
  names.map((name) => JSON.stringify(name)).join(', ')

/** `container "a"` or `containers "a", "b"`. */
export function containersText(found: readonly VisitedContainer[]): string {
  const names = found.map(({ container }) => container.name)
  return `${plural('container', 'containers', names.length)} ${quoted(names)}`
}

export const sortedSet = (values: readonly string[]): readonly string[] => [...new Set(values)].sort()

export const isWindows = (spec: PodSpec): boolean => spec.os?.name === 'windows'
