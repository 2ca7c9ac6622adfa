// The order of API versions: stable before beta before alpha, higher numbers first, odd names last.
// Upstream: apimachinery/pkg/version.CompareKubeAwareVersionStrings.

interface Rank {
  readonly stage: number
  readonly major: number
  readonly minor: number
}

/** Negative when `left` is preferred less than `right`. */
export function compareVersions(left: string, right: string): number {
  const first = rankOf(left)
  const second = rankOf(right)
  if (first === undefined || second === undefined) {
    if (first !== undefined) return 1
    if (second !== undefined) return -1
    return left < right ? 1 : left > right ? -1 : 0
  }
  return first.stage - second.stage || first.major - second.major || first.minor - second.minor
}

const stages = ['alpha', 'beta', undefined]

function rankOf(version: string): Rank | undefined {
  const parts = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*)?)?$/.exec(version)
  if (parts === null) return undefined
  return { stage: stages.indexOf(parts[2]), major: Number(parts[1]), minor: Number(parts[3] ?? 0) }
}
