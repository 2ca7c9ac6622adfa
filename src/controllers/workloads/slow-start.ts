// Does the same thing many times, first once, then twice as often each round: what is refused is refused once.
// Upstream: slowStartBatch in pkg/controller/replicaset.

/** Rejects with the first failure of a round; later rounds are then not begun. */
export async function slowStart(count: number, doOne: () => Promise<void>): Promise<void> {
  let left = count
  for (let size = 1; left > 0; size *= 2) {
    const round = Math.min(size, left)
    const results = await Promise.allSettled(Array.from({ length: round }, doOne))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    left -= round
  }
}
