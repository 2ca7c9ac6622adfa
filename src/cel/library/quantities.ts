// Quantities and versions: Kubernetes' `quantity` and `semver` libraries.
// Upstream: apiserver/pkg/cel/library quantity.go and semverlib.go.

import {
  addQuantities,
  compareQuantities,
  formatWrong,
  type Quantity,
  subtractQuantities,
} from '../../api/quantity.ts'
import { fail, type Opaque, readQuantity, type SemanticVersion } from '../value.ts'
import { declare, type Overload } from './overload.ts'

type Of<Name extends Opaque['opaque']> = Extract<Opaque, { readonly opaque: Name }>
type Amount = Of<'quantity'>
type Version = Of<'semver'>

const amount = (quantity: Quantity): Amount => ({ opaque: 'quantity', quantity })
const ofInt = (value: bigint): Quantity => ({ unscaled: value, scale: 0, format: 'DecimalSI' })

/** Undefined for what is no whole number of 64 bits. */
function wholeOf({ unscaled, scale }: Quantity): bigint | undefined {
  const [up, down] = scale >= 0 ? [10n ** BigInt(scale), 1n] : [1n, 10n ** BigInt(-scale)]
  const value = unscaled * up
  if (value % down !== 0n) return undefined
  const whole = value / down
  return BigInt.asIntN(64, whole) === whole ? whole : undefined
}

const quantities: readonly Overload[] = [
  declare('quantity(string): quantity', (text: string) => amount(readQuantity(text) ?? fail(formatWrong))),
  declare('isQuantity(string): bool', (text: string) => readQuantity(text) !== undefined),
  declare('sign(quantity): int', ({ quantity }: Amount) =>
    quantity.unscaled === 0n ? 0n : quantity.unscaled < 0n ? -1n : 1n,
  ),
  declare('.isInteger(quantity): bool', ({ quantity }: Amount) => wholeOf(quantity) !== undefined),
  declare(
    '.asInteger(quantity): int',
    ({ quantity }: Amount) => wholeOf(quantity) ?? fail('cannot convert value to integer'),
  ),
  declare('.asApproximateFloat(quantity): double', ({ quantity }: Amount) =>
    Number(`${quantity.unscaled}e${quantity.scale}`),
  ),
  declare(
    '.isGreaterThan(quantity, quantity): bool',
    (a: Amount, b: Amount) => compareQuantities(a.quantity, b.quantity) > 0,
  ),
  declare(
    '.isLessThan(quantity, quantity): bool',
    (a: Amount, b: Amount) => compareQuantities(a.quantity, b.quantity) < 0,
  ),
  declare('.compareTo(quantity, quantity): int', (a: Amount, b: Amount) =>
    BigInt(Math.sign(compareQuantities(a.quantity, b.quantity))),
  ),
  declare('.add(quantity, quantity): quantity', (a: Amount, b: Amount) =>
    amount(addQuantities(a.quantity, b.quantity)),
  ),
  declare('.add(quantity, int): quantity', (a: Amount, b: bigint) =>
    amount(addQuantities(a.quantity, ofInt(b))),
  ),
  declare('.sub(quantity, quantity): quantity', (a: Amount, b: Amount) =>
    amount(subtractQuantities(a.quantity, b.quantity)),
  ),
  declare('.sub(quantity, int): quantity', (a: Amount, b: bigint) =>
    amount(subtractQuantities(a.quantity, ofInt(b))),
  ),
]

const versionPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/
const versionLengthMax = 1000

export function parseVersion(text: string, normalize: boolean): SemanticVersion | undefined {
  if (text.length > versionLengthMax) return undefined
  const [, major, minor, patch, pre] = versionPattern.exec(normalize ? normalized(text) : text) ?? []
  if (major === undefined) return undefined
  const labels = pre === undefined ? [] : pre.split('.')
  if (labels.some((label) => /^0\d+$/.test(label))) return undefined
  return new Ordered([Number(major), Number(minor), Number(patch)], labels)
}

/** Without a leading `v`, with zeros for absent parts and without leading zeros. */
function normalized(text: string): string {
  const [, core = '', rest = ''] = /^v?([^-+]*)(.*)$/.exec(text) ?? []
  const parts = core.split('.')
  if (parts.length > 3 || parts.some((part) => !/^\d+$/.test(part))) return text
  while (parts.length < 3) parts.push('0')
  return parts.map((part) => part.replace(/^0+(?=\d)/, '')).join('.') + rest
}

class Ordered implements SemanticVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly labels: readonly string[]
  constructor([major = 0, minor = 0, patch = 0]: readonly number[], labels: readonly string[]) {
    this.major = major
    this.minor = minor
    this.patch = patch
    this.labels = labels
  }

  compare(other: SemanticVersion): number {
    const core = this.major - other.major || this.minor - other.minor || this.patch - other.patch
    if (core !== 0) return Math.sign(core)
    return compareLabels(this.labels, other instanceof Ordered ? other.labels : [])
  }
}

function compareLabels(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return Math.sign(right.length - left.length)
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const [a = '', b = ''] = [left[index], right[index]]
    if (a === b) continue
    const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
    if (isNumberA && isNumberB) return Math.sign(Number(a) - Number(b))
    if (isNumberA !== isNumberB) return isNumberA ? -1 : 1
    return a < b ? -1 : 1
  }
  return Math.sign(left.length - right.length)
}

const version = (text: string, normalize: boolean): Version => ({
  opaque: 'semver',
  version: parseVersion(text, normalize) ?? fail(`No Major.Minor.Patch elements found`),
})

const versions: readonly Overload[] = [
  declare('semver(string): semver', (text: string) => version(text, false)),
  declare('semver(string, bool): semver', (text: string, normalize: boolean) => version(text, normalize)),
  declare('isSemver(string): bool', (text: string) => parseVersion(text, false) !== undefined),
  declare(
    'isSemver(string, bool): bool',
    (text: string, normalize: boolean) => parseVersion(text, normalize) !== undefined,
  ),
  declare('.major(semver): int', (a: Version) => BigInt(a.version.major)),
  declare('.minor(semver): int', (a: Version) => BigInt(a.version.minor)),
  declare('.patch(semver): int', (a: Version) => BigInt(a.version.patch)),
  declare(
    '.isGreaterThan(semver, semver): bool',
    (a: Version, b: Version) => a.version.compare(b.version) > 0,
  ),
  declare('.isLessThan(semver, semver): bool', (a: Version, b: Version) => a.version.compare(b.version) < 0),
  declare('.compareTo(semver, semver): int', (a: Version, b: Version) =>
    BigInt(a.version.compare(b.version)),
  ),
]

export const amounts: readonly Overload[] = [...quantities, ...versions]
