// The downward API: what a pod asks about itself is answered with the tenant's names, from annotations of the host pod.
// Addresses, the node and resources are the host's and pass through.

import type { ObjectFieldSelector, Pod } from '../../api/models.ts'
import { hostKey } from '../names.ts'

const nameAnnotation = 'k3v.dev/name'
const podNamespaceAnnotation = 'k3v.dev/namespace'
const podUidAnnotation = 'k3v.dev/pod-uid'
const serviceAccountAnnotation = 'k3v.dev/service-account'
const labelsAnnotation = 'k3v.dev/labels'
const annotationsAnnotation = 'k3v.dev/annotations'

/** Rewrites field paths and notes the annotations that they then need. */
export class DownwardFields {
  readonly #pod: Pod
  readonly #annotations: Record<string, string> = {}

  constructor(pod: Pod) {
    this.#pod = pod
  }

  /** All that was asked for so far. */
  get annotations(): Readonly<Record<string, string>> {
    return this.#annotations
  }

  rewrite(reference: ObjectFieldSelector): ObjectFieldSelector {
    const { metadata, spec } = this.#pod
    switch (reference.fieldPath) {
      case 'metadata.name':
        return this.#from(nameAnnotation, metadata.name ?? '')
      case 'metadata.namespace':
        return this.#from(podNamespaceAnnotation, metadata.namespace ?? '')
      case 'metadata.uid':
        return this.#from(podUidAnnotation, metadata.uid ?? '')
      case 'spec.serviceAccountName':
        return this.#from(serviceAccountAnnotation, spec?.serviceAccountName ?? '')
      case 'metadata.labels':
        return this.#from(labelsAnnotation, formatMap(metadata.labels ?? {}))
      case 'metadata.annotations':
        return this.#from(annotationsAnnotation, formatMap(metadata.annotations ?? {}))
      default:
        return this.#subscript(reference)
    }
  }

  #subscript(reference: ObjectFieldSelector): ObjectFieldSelector {
    const found = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(reference.fieldPath)
    if (found === null) return { apiVersion: 'v1', fieldPath: reference.fieldPath }
    const [, where, key = ''] = found
    const { labels = {}, annotations = {} } = this.#pod.metadata
    if (where === 'labels') {
      const fieldPath = `metadata.labels['${hostKey(key)}']`
      return labels[key] === undefined ? this.#from(hostKey(key), '') : { apiVersion: 'v1', fieldPath }
    }
    return this.#from(hostKey(key), annotations[key] ?? '')
  }

  #from(annotation: string, value: string): ObjectFieldSelector {
    this.#annotations[annotation] = value
    return { apiVersion: 'v1', fieldPath: `metadata.annotations['${annotation}']` }
  }
}

/** As kubelets write a whole map into a file. Upstream: pkg/fieldpath FormatMap. */
export function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${quote(map[key] ?? '')}`)
    .join('\n')
}

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u000b': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

/** Go's %q: what is printable stays. */
function quote(text: string): string {
  const inner = [...text].map((char) => {
    const escaped = escapes[char]
    if (escaped !== undefined) return escaped
    const code = char.codePointAt(0) ?? 0
    if (code === 0x20 || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return char
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${inner.join('')}"`
}
