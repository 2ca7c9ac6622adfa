// Writers of one object that met each other go one after another, so that each of many needs two tries and not many.
// A first try takes no turn: most objects have one writer at a time.

export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `work` when all that took a turn at this key before are done. Rejects as `work` does. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last.set(key, promise)
    try {
      await before
      return await work()
    } finally {
      resolve()
      if (this.#last.get(key) === promise) this.#last.delete(key)
    }
  }
}
