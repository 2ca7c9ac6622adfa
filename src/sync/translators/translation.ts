// What every translator is given and what it answers. Translators are pure: all I/O is the engines'.
// Field rules: a field is copied, rewritten, dropped, told to be without effect, or refused; nothing goes unjudged.

import type { Service } from '../../api/models.ts'
import type { Owner } from '../owner.ts'
import type { SyncPolicy } from '../policy.ts'

export interface ApiAddress {
  readonly host: string
  readonly port: number
}

export interface ClusterDns {
  readonly nameservers: readonly string[]
  /** `cluster.local` */
  readonly domain: string
}

/** A Service of the plane that is published on the host under a name of its own. */
export interface Exposed {
  readonly namespace: string
  readonly service: string
  /** The host Service's name. */
  readonly name: string
}

export interface TranslationContext {
  readonly owner: Owner
  readonly policy: SyncPolicy
  /** Has no rights at all on the host. */
  readonly workloadServiceAccount: string
  /** Where pods reach the plane's API; undefined where they cannot. */
  readonly api: ApiAddress | undefined
  /** Absent: pods use the host's resolver. */
  readonly dns: ClusterDns | undefined
  /** Absent: none. */
  readonly exposed?: readonly Exposed[] | undefined
  /** The virtual Services of a namespace. */
  readonly servicesOf: (namespace: string) => readonly Service[]
}

export interface Translation<T> {
  readonly host: T
  /** Fields that have no effect on this host, for a NotEnforcedOnHost event. */
  readonly ignored: readonly string[]
  /** Why the object must not go to the host; when there are any, it is not written. */
  readonly refusals: readonly string[]
}

/** What happens to each field of a type. A test compares it with the schema of this Kubernetes version. */
export interface FieldRules<T> {
  readonly copied: readonly (keyof T & string)[]
  /** Handled by code beside the rules. */
  readonly rewritten: readonly (keyof T & string)[]
  /** Left out in silence, with the reason. */
  readonly dropped?: Readonly<Partial<Record<keyof T & string, string>>>
  /** Left out and told, with the reason. */
  readonly ignored?: Readonly<Partial<Record<keyof T & string, string>>>
  /** The object stays off the host, with the reason. */
  readonly refused?: Readonly<Partial<Record<keyof T & string, string>>>
}

/** The fields that the rules say are copied. */
export function copyNamed<T extends object>(from: T, rules: FieldRules<T>): Partial<T> {
  const copy: Partial<T> = {}
  for (const field of rules.copied) if (from[field] !== undefined) copy[field] = from[field]
  return copy
}

/** Collects what is ignored and refused while an object is translated. */
export class Findings {
  readonly ignored: string[] = []
  readonly refusals: string[] = []

  /** Notes the fields of an object that its rules ignore or refuse. Empty values ask for nothing. */
  note<T extends object>(from: T, rules: FieldRules<T>, path: string): void {
    for (const [field, reason] of Object.entries(rules.ignored ?? {}) as [keyof T & string, string][]) {
      if (!isEmpty(from[field])) this.ignored.push(`${path}.${field} (${reason})`)
    }
    for (const [field, reason] of Object.entries(rules.refused ?? {}) as [keyof T & string, string][]) {
      if (!isEmpty(from[field])) this.refusals.push(`${path}.${field}: ${reason}`)
    }
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}
