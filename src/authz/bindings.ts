// Bindings by the subjects they name, so that a decision looks at a user's own bindings only.
// Built from what the Reader lists, and valid as long as it lists the same versions.

import type { UserInfo } from '../api/contracts.ts'
import type { StoredObject } from '../api/stored.ts'

export interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string | undefined
}

export interface RoleRef {
  readonly kind: string
  readonly name: string
}

export interface Binding {
  readonly kind: 'ClusterRoleBinding' | 'RoleBinding'
  readonly name: string
  readonly namespace: string
  readonly roleRef: RoleRef
  readonly subjects: readonly Subject[]
}

/** A binding and the first of its subjects that is the user. */
export interface Grant {
  readonly binding: Binding
  readonly subject: Subject
}

const parsed = new WeakMap<StoredObject, Binding>()

/** Answers with the grants of a user, in no order that matters. */
export class BindingIndex {
  readonly #source: readonly StoredObject[]
  #bySubject: Map<string, Grant[]> | undefined
  #uses = 0

  constructor(source: readonly StoredObject[]) {
    this.#source = source
  }

  /** Whether `source` holds the very same versions; comparing them is far cheaper than sorting them anew. */
  isFor(source: readonly StoredObject[]): boolean {
    if (this.#source === source) return true
    return this.#source.length === source.length && this.#source.every((stored, at) => stored === source[at])
  }

  *grantsOf(user: UserInfo): Generator<Grant> {
    this.#uses += 1
    // A list that is asked once before it changes is not worth an index.
    if (this.#uses > 1) this.#bySubject ??= indexOf(this.#source)
    const names = [`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)]
    if (this.#bySubject === undefined) {
      const wanted = new Set(names)
      for (const stored of this.#source) {
        const binding = parse(stored)
        const subject = binding.subjects.find((one) => wanted.has(subjectName(one, binding.namespace)))
        if (subject !== undefined) yield { binding, subject }
      }
      return
    }
    const seen = new Set<Binding>()
    for (const grant of names.flatMap((name) => this.#bySubject?.get(name) ?? [])) {
      if (!seen.has(grant.binding)) yield grant
      seen.add(grant.binding)
    }
  }
}

/** How upstream names the grounds of a decision. */
export function describeGrant({ binding, subject }: Grant): string {
  const { kind, name, namespace, roleRef } = binding
  const fullName = kind === 'RoleBinding' ? `${name}/${namespace}` : name
  const subjectText =
    subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name
  return `${kind} ${JSON.stringify(fullName)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(subjectText)}`
}

function indexOf(source: readonly StoredObject[]): Map<string, Grant[]> {
  const bySubject = new Map<string, Grant[]>()
  for (const stored of source) {
    const binding = parse(stored)
    for (const subject of binding.subjects) {
      const name = subjectName(subject, binding.namespace)
      const grants = bySubject.get(name)
      if (grants === undefined) bySubject.set(name, [{ binding, subject }])
      else grants.push({ binding, subject })
    }
  }
  return bySubject
}

// A service account is a user by another name; without a namespace it is one of the binding's own.
function subjectName({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  if (kind === 'User' || kind === 'Group') return `${kind}/${name}`
  if (kind !== 'ServiceAccount') return ''
  const inNamespace = namespace || bindingNamespace
  return inNamespace === '' ? '' : `User/system:serviceaccount:${inNamespace}:${name}`
}

function parse(stored: StoredObject): Binding {
  const known = parsed.get(stored)
  if (known !== undefined) return known
  const { object, header } = stored
  const roleRef = (object['roleRef'] ?? {}) as Partial<RoleRef>
  const binding: Binding = {
    kind: header.namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    name: header.name,
    namespace: header.namespace,
    roleRef: { kind: roleRef.kind ?? '', name: roleRef.name ?? '' },
    subjects: (object['subjects'] ?? []) as readonly Subject[],
  }
  parsed.set(stored, binding)
  return binding
}
