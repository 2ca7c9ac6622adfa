// IP addresses and blocks as bytes: reading, writing and comparing them as Go's netip does.
// The functions that expressions call are network.ts's.

import { isIPv4, isIPv6 } from 'node:net'

export interface Ip {
  /** Four or sixteen. */
  readonly bytes: readonly number[]
}

export interface Cidr {
  readonly ip: Ip
  readonly prefix: number
}

/** Undefined for what is no address: zones, and IPv4 written as IPv6, are refused as Kubernetes does. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return { bytes: text.split('.').map(Number) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const bytes = parseIpv6(text)
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return isMapped ? undefined : { bytes }
}

function parseIpv6(text: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const hex = (high = '', low = ''): string => (Number(high) * 256 + Number(low)).toString(16)
  const whole =
    dotted === null ? text : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [left = '', right] = whole.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const head = groups(left)
  const tail = right === undefined ? [] : groups(right)
  const middle = right === undefined ? [] : new Array<number>(8 - head.length - tail.length).fill(0)
  return [...head, ...middle, ...tail].flatMap((group) => [group >> 8, group & 255])
}

export function writeIp({ bytes }: Ip): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  )
  const [start, length] = longestZeros(groups)
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

function longestZeros(groups: readonly string[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0]
  let length = 0
  for (const [index, group] of groups.entries()) {
    length = group === '0' ? length + 1 : 0
    if (length > best[1]) best = [index - length + 1, length]
  }
  return best
}

export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const ip = parseIp(address)
  const prefix = Number(digits)
  return ip === undefined || prefix > ip.bytes.length * 8 ? undefined : { ip, prefix }
}

export const writeCidr = ({ ip, prefix }: Cidr): string => `${writeIp(ip)}/${prefix}`

export function maskIp({ bytes }: Ip, prefix: number): Ip {
  return {
    bytes: bytes.map((byte, index) => {
      const kept = Math.min(8, Math.max(0, prefix - index * 8))
      return byte & ((0xff << (8 - kept)) & 0xff)
    }),
  }
}

export function containsIp({ ip, prefix }: Cidr, other: Ip): boolean {
  if (ip.bytes.length !== other.bytes.length) return false
  return sameIp(maskIp(ip, prefix), maskIp(other, prefix))
}

export const containsCidr = (outer: Cidr, inner: Cidr): boolean =>
  outer.prefix <= inner.prefix && containsIp(outer, maskIp(inner.ip, inner.prefix))

export const sameIp = (left: Ip, right: Ip): boolean =>
  left.bytes.length === right.bytes.length && left.bytes.every((byte, index) => byte === right.bytes[index])
