// A position in protobuf bytes: numbers, text and lengths, each checked against what is left.
// What the fields mean is protobuf.ts's work.

/** The bytes are not what they claim to be: the caller's fault, a bad request. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** Messages inside messages. A deep CRD schema needs about 60. */
export const depthMax = 500
/** Messages in one body: two bytes make an empty one, so that the size of a body bounds too little. */
export const messagesMax = 500_000

const shortTextBytes = 24

interface Budget {
  depth: number
  messages: number
}

export class Cursor {
  at = 0
  readonly #bytes: Buffer
  readonly #budget: Budget
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array, budget: Budget = { depth: 0, messages: 0 }) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#budget = budget
  }

  /** Reads other bytes of the same body, on the same budget. */
  over(bytes: Uint8Array): Cursor {
    return new Cursor(bytes, this.#budget)
  }

  /** Begins a message that ends at `end`. */
  enter(end: number): void {
    if (end > this.#bytes.length) throw new DecodeError('a message is cut short')
    this.#budget.depth += 1
    this.#budget.messages += 1
    if (this.#budget.depth > depthMax)
      throw new DecodeError(`more than ${depthMax} messages inside each other`)
    if (this.#budget.messages > messagesMax) throw new DecodeError(`more than ${messagesMax} messages`)
  }

  leave(end: number): void {
    if (this.at !== end) throw new DecodeError('a field reaches past the end of its message')
    this.#budget.depth -= 1
  }

  expect(wire: number, wanted: number): void {
    if (wire !== wanted) throw new DecodeError(`wire type ${wire} where ${wanted} belongs`)
  }

  byte(): number {
    const byte = this.#bytes[this.at]
    if (byte === undefined) throw new DecodeError('the message ends too early')
    this.at += 1
    return byte
  }

  /** A field's number and wire type as one number. */
  tag(): number {
    this.#varint()
    if (this.#low >>> 3 === 0 || this.#high !== 0) throw new DecodeError('illegal field number')
    return this.#low >>> 0
  }

  bool(): boolean {
    this.#varint()
    return this.#low !== 0 || this.#high !== 0
  }

  int32(): number {
    this.#varint()
    return this.#low | 0
  }

  /** JSON's numbers end at 2^53: a larger one is refused rather than changed. */
  int64(): number {
    this.#varint()
    const value = (this.#high | 0) * 0x1_0000_0000 + (this.#low >>> 0)
    if (!Number.isSafeInteger(value)) throw new DecodeError('a number is too large for JSON')
    return value
  }

  double(): number {
    this.#need(8)
    const value = this.#bytes.readDoubleLE(this.at)
    this.at += 8
    if (!Number.isFinite(value)) throw new DecodeError('a number that JSON cannot say')
    return value
  }

  /** Reads a length and answers where the bytes that follow end. */
  end(): number {
    this.#varint()
    if (this.#high !== 0) throw new DecodeError('a length is too large')
    const length = this.#low >>> 0
    this.#need(length)
    return this.at + length
  }

  slice(): Uint8Array {
    const end = this.end()
    const bytes = this.#bytes.subarray(this.at, end)
    this.at = end
    return bytes
  }

  /** Bytes that are no UTF-8 become U+FFFD, as in Go's JSON. */
  text(): string {
    const end = this.end()
    const start = this.at
    this.at = end
    if (end - start > shortTextBytes) return this.#bytes.toString('utf8', start, end)
    let text = ''
    for (let at = start; at < end; at += 1) {
      const byte = this.#bytes[at] ?? 0
      if (byte > 0x7f) return this.#bytes.toString('utf8', start, end)
      text += String.fromCharCode(byte)
    }
    return text
  }

  skip(wire: number): void {
    if (wire === wireTypes.varint) this.#varint()
    else if (wire === wireTypes.bytes) this.at = this.end()
    else if (wire === wireTypes.fixed64) this.#pass(8)
    else if (wire === wireTypes.fixed32) this.#pass(4)
    else throw new DecodeError(`wire type ${wire} is not supported`)
  }

  #pass(length: number): void {
    this.#need(length)
    this.at += length
  }

  #need(length: number): void {
    if (length > this.#bytes.length - this.at) throw new DecodeError('the message ends too early')
  }

  /** Leaves 64 bits in two halves: a bigint for each number would cost more than all the rest. */
  #varint(): void {
    let byte = this.byte()
    this.#low = byte & 0x7f
    this.#high = 0
    for (let shift = 7; byte > 0x7f; shift += 7) {
      if (shift > 63) throw new DecodeError('a number is longer than 64 bits')
      byte = this.byte()
      const bits = byte & 0x7f
      if (shift < 32) this.#low |= bits << shift
      if (shift === 28) this.#high = bits >>> 4
      else if (shift > 31) this.#high |= bits << (shift - 32)
    }
  }
}
