// Objects in the bytewise order of their keys: find one, replace one, cut out those with a prefix.
// An array with binary search: lists are slices of pointers, and an insert moves a few of them.

import type { StoredObject } from '../api/stored.ts'
import { compareKeys } from '../store/keys.ts'

const surrogate = /[\ud800-\udfff]/

export class OrderedObjects {
  readonly #objects: StoredObject[] = []
  // The engine's own order of strings is right, and much faster, as long as no key needs more than 16 bits a character.
  #isPlain = true

  get size(): number {
    return this.#objects.length
  }

  get(key: string): StoredObject | undefined {
    const found = this.#objects[this.#firstFrom(key)]
    return found?.key === key ? found : undefined
  }

  set(object: StoredObject): void {
    if (this.#isPlain && surrogate.test(object.key)) this.#isPlain = false
    const last = this.#objects.at(-1)
    // Loading comes in order.
    if (last === undefined || this.#isBefore(last.key, object.key)) {
      this.#objects.push(object)
      return
    }
    const at = this.#firstFrom(object.key)
    if (this.#objects[at]?.key === object.key) this.#objects[at] = object
    else this.#objects.splice(at, 0, object)
  }

  delete(key: string): void {
    const at = this.#firstFrom(key)
    if (this.#objects[at]?.key === key) this.#objects.splice(at, 1)
  }

  /** A new array, in order. */
  slice(prefix: string): StoredObject[] {
    const [from, to] = this.#range(prefix)
    return this.#objects.slice(from, to)
  }

  count(prefix: string): number {
    const [from, to] = this.#range(prefix)
    return to - from
  }

  #range(prefix: string): [number, number] {
    const from = this.#firstFrom(prefix)
    let low = from
    let high = this.#objects.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#keyAt(middle).startsWith(prefix)) low = middle + 1
      else high = middle
    }
    return [from, low]
  }

  #firstFrom(key: string): number {
    let low = 0
    let high = this.#objects.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#isBefore(this.#keyAt(middle), key)) low = middle + 1
      else high = middle
    }
    return low
  }

  #keyAt(at: number): string {
    return (this.#objects[at] as StoredObject).key
  }

  #isBefore(left: string, right: string): boolean {
    return this.#isPlain ? left < right : compareKeys(left, right) < 0
  }
}
