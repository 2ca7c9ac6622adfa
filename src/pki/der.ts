// DER, as far as X.509 needs it: writes values, reads values, and refuses what is not strict DER.
// What the values mean is certificate.ts's, subject.ts's and request.ts's.

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** One value: `content` without tag and length, `whole` with them. Both look into the bytes that were read. */
export interface DerValue {
  readonly tag: number
  readonly content: Buffer
  readonly whole: Buffer
}

export function derValue(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

export const derSequence = (...parts: readonly Uint8Array[]): Buffer => derValue(derTags.sequence, ...parts)

/** A SET OF in DER is sorted by the encoding of its members. */
export const derSet = (...parts: readonly Uint8Array[]): Buffer =>
  derValue(derTags.set, ...[...parts].sort(Buffer.compare))

/** Context-specific and constructed: `[0]` and its sisters. */
export const derContext = (number: number, ...parts: readonly Uint8Array[]): Buffer =>
  derValue(0xa0 | number, ...parts)

export const derText = (text: string): Buffer => derValue(derTags.utf8String, Buffer.from(text, 'utf8'))

/** A positive integer from big-endian bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  let first = 0
  while (first < bytes.length - 1 && bytes[first] === 0) first += 1
  const trimmed = Buffer.from(bytes.subarray(first))
  const isNegative = ((trimmed[0] ?? 0) & 0x80) !== 0
  return derValue(derTags.integer, isNegative ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed)
}

export const derBitString = (bytes: Uint8Array, unusedBits = 0): Buffer =>
  derValue(derTags.bitString, Buffer.from([unusedBits]), bytes)

export function derObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap(base128)
  return derValue(derTags.objectIdentifier, Buffer.from(bytes))
}

/** UTCTime until 2049 and GeneralizedTime after, as RFC 5280 section 4.1.2.5 demands. */
export function derTime(timeMs: number): Buffer {
  const digits = new Date(timeMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')
  const isShort = Number(digits.slice(0, 4)) < 2050
  return derValue(
    isShort ? derTags.utcTime : derTags.generalizedTime,
    Buffer.from(isShort ? digits.slice(2) : digits, 'ascii'),
  )
}

/** The one value that `bytes` holds; throws DerError when there is more, less, or something else. */
export function readDer(bytes: Uint8Array): DerValue {
  const values = readDerList(bytes)
  const [value] = values
  if (value === undefined || values.length !== 1) throw new DerError('one value was expected')
  return value
}

/** The values that stand one after the other in `bytes`. */
export function readDerList(bytes: Uint8Array): DerValue[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: DerValue[] = []
  for (let at = 0; at < buffer.length; ) {
    const value = readValueAt(buffer, at)
    values.push(value)
    at += value.whole.length
  }
  return values
}

/** The members of a value of this tag. */
export function readDerMembers(value: DerValue | undefined, tag: number): DerValue[] {
  if (value?.tag !== tag) throw new DerError(`tag ${tag} was expected, ${value?.tag ?? 'nothing'} is there`)
  return readDerList(value.content)
}

export function readObjectIdentifier(value: DerValue | undefined): string {
  if (value?.tag !== derTags.objectIdentifier) throw new DerError('an object identifier was expected')
  const numbers: number[] = []
  let number = 0
  for (const byte of value.content) {
    number = number * 128 + (byte & 0x7f)
    if (!Number.isSafeInteger(number)) throw new DerError('an object identifier is too large')
    if ((byte & 0x80) !== 0) continue
    numbers.push(number)
    number = 0
  }
  const [first = 0, ...rest] = numbers
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - root * 40, ...rest].join('.')
}

/** The text of any string type that names use. */
export function readText(value: DerValue | undefined): string {
  if (value === undefined) throw new DerError('a string was expected')
  if (value.tag === derTags.utf8String) return new TextDecoder('utf-8', { fatal: true }).decode(value.content)
  if (value.tag === derTags.printableString || value.tag === derTags.ia5String) {
    return value.content.toString('ascii')
  }
  if (value.tag === derTags.teletexString) return value.content.toString('latin1')
  if (value.tag === derTags.bmpString) return Buffer.from(value.content).swap16().toString('utf16le')
  throw new DerError(`tag ${value.tag} is no string`)
}

/** The bytes are not DER, or not the DER that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

function base128(number: number): number[] {
  const bytes = [number & 0x7f]
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift((rest & 0x7f) | 0x80)
  }
  return bytes
}

function readValueAt(buffer: Buffer, at: number): DerValue {
  const tag = buffer[at]
  const short = buffer[at + 1]
  if (tag === undefined || short === undefined) throw new DerError('a value is cut off')
  if ((tag & 0x1f) === 0x1f) throw new DerError('long tags are not used in certificates')
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f
  if (short === 0x80 || lengthBytes > 4) throw new DerError('a length is not DER')
  if (at + 2 + lengthBytes > buffer.length) throw new DerError('a length is cut off')
  const length = lengthBytes === 0 ? short : buffer.readUIntBE(at + 2, lengthBytes)
  const start = at + 2 + lengthBytes
  if (start + length > buffer.length) throw new DerError('a value is cut off')
  return { tag, content: buffer.subarray(start, start + length), whole: buffer.subarray(at, start + length) }
}
