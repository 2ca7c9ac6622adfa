// Many values in one piece of memory, so that a batch crosses to the other thread by a transfer and not by copies.
// Posting a pooled Buffer would clone the whole pool behind it.

export interface Slab {
  /** One a value; -1: there is none. */
  readonly lengths: Int32Array
  readonly bytes: ArrayBuffer
}

export function pack(values: readonly (Uint8Array | undefined)[]): Slab {
  const lengths = Int32Array.from(values, (value) => value?.byteLength ?? -1)
  const bytes = new ArrayBuffer(lengths.reduce((sum, length) => sum + Math.max(0, length), 0))
  const target = new Uint8Array(bytes)
  let at = 0
  for (const value of values) {
    if (value === undefined) continue
    target.set(value, at)
    at += value.byteLength
  }
  return { lengths, bytes }
}

/** Views into the slab, which stays as long as one of them is held. */
export function unpack({ lengths, bytes }: Slab): (Buffer | undefined)[] {
  const values: (Buffer | undefined)[] = []
  let at = 0
  for (const length of lengths) {
    values.push(length < 0 ? undefined : Buffer.from(bytes, at, length))
    at += Math.max(0, length)
  }
  return values
}
