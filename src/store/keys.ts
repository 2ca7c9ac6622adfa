// The order of keys: bytewise, as UTF-8 sorts, which is not JavaScript's own order of strings.
// Which keys there are, and what their parts mean, is for those who write them.

const surrogate = /[\ud800-\udfff]/

/** Negative, zero or positive. UTF-16 sorts surrogates below U+E000; UTF-8 sorts them above everything. */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at += 1) {
    const difference = left.charCodeAt(at) - right.charCodeAt(at)
    if (difference !== 0) return lifted(left.charCodeAt(at)) - lifted(right.charCodeAt(at))
  }
  return left.length - right.length
}

/** Sorts in place and returns the same array. Nearly all keys are ASCII, where the engine's own sort is right. */
export function sortKeys(keys: string[]): string[] {
  return keys.some((key) => surrogate.test(key)) ? keys.sort(compareKeys) : keys.sort()
}

function lifted(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
