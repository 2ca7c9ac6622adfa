// Sets of completion indexes as an Indexed Job writes them (`0,3-5,7`): ordered runs, however many indexes they hold. Pure.
// Which indexes are done or failed is job-view.ts's.

export interface Run {
  readonly first: number
  readonly last: number
}

/** In order, apart from each other by at least one index. */
export type Indexes = readonly Run[]

/** Indexes from `limit` on are left out, and so is what cannot be read. */
export function parseIndexes(text: string | undefined, limit: number): Indexes {
  if (text === undefined || text === '') return []
  const runs = text.split(',').flatMap((part) => {
    const match = /^([0-9]{1,10})(?:-([0-9]{1,10}))?$/.exec(part)
    if (match === null) return []
    const first = Number(match[1])
    const last = Math.min(Number(match[2] ?? first), limit - 1)
    return first <= last ? [{ first, last }] : []
  })
  return joined(runs)
}

export function formatIndexes(indexes: Indexes): string {
  return indexes.map(({ first, last }) => textOfRun(first, last)).join(',')
}

function textOfRun(first: number, last: number): string {
  if (first === last) return String(first)
  return last === first + 1 ? `${first},${last}` : `${first}-${last}`
}

export function withIndexes(indexes: Indexes, added: Iterable<number>): Indexes {
  return mergeIndexes(
    indexes,
    [...added].map((index) => ({ first: index, last: index })),
  )
}

export function mergeIndexes(left: Indexes, right: Indexes): Indexes {
  return joined([...left, ...right])
}

function joined(runs: readonly Run[]): Indexes {
  const result: Run[] = []
  for (const run of [...runs].sort((left, right) => left.first - right.first)) {
    const before = result.at(-1)
    if (before === undefined || run.first > before.last + 1) result.push(run)
    else result[result.length - 1] = { first: before.first, last: Math.max(before.last, run.last) }
  }
  return result
}

export function countIndexes(indexes: Indexes): number {
  return indexes.reduce((count, { first, last }) => count + last - first + 1, 0)
}

export function hasIndex(indexes: Indexes, index: number): boolean {
  return indexes.some(({ first, last }) => first <= index && index <= last)
}

/** How many indexes are in both. */
export function countCommon(left: Indexes, right: Indexes): number {
  let count = 0
  for (const one of left) {
    for (const other of right) {
      count += Math.max(0, Math.min(one.last, other.last) - Math.max(one.first, other.first) + 1)
    }
  }
  return count
}

/** The lowest `count` indexes below `limit` that are not in `taken`. */
export function freeIndexes(taken: Indexes, { count, limit }: { count: number; limit: number }): number[] {
  const free: number[] = []
  let candidate = 0
  for (const { first, last } of [...taken, { first: limit, last: limit }]) {
    for (; candidate < Math.min(first, limit) && free.length < count; candidate += 1) free.push(candidate)
    candidate = Math.max(candidate, last + 1)
  }
  return free
}
