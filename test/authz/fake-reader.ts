// A Reader over objects that a test puts in and takes out.

import type { Reader } from '../../src/api/contracts.ts'
import { type KubeObject, parseApiVersion } from '../../src/api/object.ts'
import { encodeForStore, StoredObject } from '../../src/api/stored.ts'

const plurals: Readonly<Record<string, string>> = {
  PriorityClass: 'priorityclasses',
  StorageClass: 'storageclasses',
  IngressClass: 'ingressclasses',
}

export class FakeReader implements Reader {
  readonly #lists = new Map<string, StoredObject[]>()
  #revision = 0

  constructor(objects: readonly KubeObject[] = []) {
    for (const object of objects) this.put(object)
  }

  /** Adds the object, or replaces the one of its name; without a uid it gets one from kind and name. */
  put(object: KubeObject): void {
    this.remove(object)
    this.#revision += 1
    const { kind = '', metadata } = object
    const whole = { ...object, metadata: { uid: `${kind}-${metadata.name}`, ...metadata } }
    const stored = new StoredObject(keyOf(object), encodeForStore(whole), this.#revision)
    const list = listOf(object)
    this.#lists.set(list, [...(this.#lists.get(list) ?? []), stored])
  }

  remove(object: KubeObject): void {
    const list = listOf(object)
    const rest = (this.#lists.get(list) ?? []).filter(({ key }) => key !== keyOf(object))
    this.#lists.set(list, rest)
  }

  get({ group, resource }: { group: string; resource: string }, namespace: string, name: string) {
    const key = `${group}/${resource}/${namespace}/${name}`
    return this.#lists.get(`${group}/${resource}`)?.find((stored) => stored.key === key)
  }

  list(
    { group, resource }: { group: string; resource: string },
    namespace?: string,
  ): readonly StoredObject[] {
    const all = this.#lists.get(`${group}/${resource}`) ?? []
    return namespace === undefined ? all : all.filter(({ header }) => header.namespace === namespace)
  }
}

function listOf({ apiVersion = '', kind = '' }: KubeObject): string {
  return `${parseApiVersion(apiVersion).group}/${plurals[kind] ?? `${kind.toLowerCase()}s`}`
}

function keyOf(object: KubeObject): string {
  return `${listOf(object)}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}

const rbac = 'rbac.authorization.k8s.io'

type RoleKind = 'Role' | 'ClusterRole'

/** `namespace/name` or `name`. */
export function role(fullName: string, rules: readonly unknown[]): KubeObject {
  const { kind, metadata } = named(fullName)
  return { apiVersion: `${rbac}/v1`, kind, metadata, rules }
}

/** Subjects as `User/jane`, `Group/dev`, `ServiceAccount/namespace/name`. */
export function binding(
  fullName: string,
  roleRef: `${RoleKind}/${string}`,
  ...subjects: readonly string[]
): KubeObject {
  const { kind, metadata } = named(fullName)
  const [roleKind, ...roleName] = roleRef.split('/')
  return {
    apiVersion: `${rbac}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: rbac, kind: roleKind, name: roleName.join('/') },
    subjects: subjects.map((subject) => {
      const [subjectKind = '', first = '', second] = subject.split('/')
      if (subjectKind !== 'ServiceAccount') return { apiGroup: rbac, kind: subjectKind, name: first }
      return second === undefined
        ? { kind: subjectKind, name: first }
        : { kind: subjectKind, namespace: first, name: second }
    }),
  }
}

function named(fullName: string): { kind: RoleKind; metadata: KubeObject['metadata'] } {
  const [first = '', second] = fullName.split('/')
  if (second === undefined) return { kind: 'ClusterRole', metadata: { name: first } }
  return { kind: 'Role', metadata: { namespace: first, name: second } }
}
