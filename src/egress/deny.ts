// Which addresses nobody is connected to on a tenant's word: this machine, its link, and clouds' metadata services.
// What is the plane's own (its listeners, its host's API) is handed in by who knows it.

import { BlockList, isIPv4, isIPv6 } from 'node:net'

export interface Address {
  /** An IPv4 or IPv6 address, never a name. */
  readonly host: string
  readonly port: number
}

const denied = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Metadata services that live outside the link-local range.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
] as const)
  denied.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
] as const)
  denied.addSubnet(network, prefix, 'ipv6')

/** Whether the address, or an IPv4 address that it carries inside, is on the list. What is no address is denied. */
export function isDenied(host: string): boolean {
  if (isIPv4(host)) return denied.check(host, 'ipv4')
  if (!isIPv6(host) || host.includes('%')) return true
  if (denied.check(host, 'ipv6')) return true
  return carried(host).some((inner) => denied.check(inner, 'ipv4'))
}

/** IPv4 inside IPv6: mapped and compatible addresses, both NAT64 prefixes, 6to4, and Teredo's inverted client. */
function carried(host: string): readonly string[] {
  const words = wordsOf(host)
  const last = quad(words[6] ?? 0, words[7] ?? 0)
  const isZero = (from: number, to: number): boolean => words.slice(from, to).every((word) => word === 0)
  if (isZero(0, 5) && (words[5] === 0xffff || words[5] === 0)) return [last]
  if (isZero(0, 4) && words[4] === 0xffff && words[5] === 0) return [last]
  if (words[0] === 0x64 && words[1] === 0xff9b) return [last]
  if (words[0] === 0x2002) return [quad(words[1] ?? 0, words[2] ?? 0)]
  if (words[0] === 0x2001 && words[1] === 0)
    return [quad(words[2] ?? 0, words[3] ?? 0), quad((words[6] ?? 0) ^ 0xffff, (words[7] ?? 0) ^ 0xffff)]
  return []
}

const quad = (high: number, low: number): string => [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')

function wordsOf(host: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host)
  const text =
    dotted === null
      ? host
      : `${dotted[1]}${pair(dotted[2] ?? '', dotted[3] ?? '')}:${pair(dotted[4] ?? '', dotted[5] ?? '')}`
  const [head = '', tail] = text.split('::')
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16))
  const before = numbers(head)
  const after = tail === undefined ? [] : numbers(tail)
  const gap = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array.from({ length: gap }, () => 0), ...after]
}

const pair = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16)
