// Addresses for the pods of this node: each its own while it lives, the same one after the host was started again.

/** Within one /16: enough for tens of thousands of pods, more than one machine runs. */
export class PodAddresses {
  readonly #prefix: string
  readonly #owners = new Map<string, string>()
  #next = 2

  /** `10.244`: the first half of the addresses. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The one that the pod's status tells is kept when nobody else has it. */
  take(uid: string, wanted: string | undefined): string {
    if (wanted?.startsWith(`${this.#prefix}.`) === true && (this.#owners.get(wanted) ?? uid) === uid) {
      this.#owners.set(wanted, uid)
      return wanted
    }
    for (let tries = 0; tries < 65_000; tries += 1) {
      const address = `${this.#prefix}.${this.#next >> 8}.${this.#next & 0xff}`
      this.#next = this.#next >= 65_000 ? 2 : this.#next + 1
      if (this.#owners.has(address) || address.endsWith('.0') || address.endsWith('.255')) continue
      this.#owners.set(address, uid)
      return address
    }
    throw new Error('the embedded host has no address left for a pod')
  }

  release(uid: string): void {
    for (const [address, owner] of this.#owners) if (owner === uid) this.#owners.delete(address)
  }
}
