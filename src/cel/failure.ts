// The ways in which an expression fails: it cannot be compiled, it fails on a value, or it costs too much.
// What callers make of them is theirs.

interface Because {
  readonly isUnsupported?: boolean
  readonly cause?: unknown
}

/** What is wrong at one place of an expression. */
export class CompileError extends Error {
  readonly offset: number
  /** A construct that Kubernetes has and this room lacks, as opposed to a mistake. */
  readonly isUnsupported: boolean
  constructor(message: string, offset: number, because: Because = {}) {
    super(message, { cause: because.cause })
    this.offset = offset
    this.isUnsupported = because.isUnsupported === true
  }
}

/** Fails on a value: `no such key: a`. Logic operators may swallow it. */
export class EvaluationError extends Error {}

/** Nothing swallows this one. */
export class BudgetError extends Error {}

/** Counts what one evaluation costs, in units of about one step. */
export class Meter {
  #left: number
  readonly limit: number
  constructor(limit: number) {
    this.limit = limit
    this.#left = limit
  }

  get spent(): number {
    return this.limit - Math.max(0, this.#left)
  }

  charge(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new BudgetError('operation cancelled: actual cost limit exceeded')
  }

  /** Going through a text costs a unit for ten characters. */
  chargeText(length: number): void {
    if (length >= 10) this.charge(length / 10)
  }
}
