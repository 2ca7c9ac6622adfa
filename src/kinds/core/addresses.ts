// Which addresses may be announced: not those that mean this machine or this wire.
// Upstream: IsValidIPForLegacyField, ValidateEndpointIP.

import { BlockList, isIP } from 'node:net'
import { type FieldError, fieldInvalid } from '../../api/status.ts'

type Errors = readonly FieldError[]

const special = [
  {
    list: listOf(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6']),
    text: 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
  },
  {
    list: listOf(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6']),
    text: 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  },
  {
    list: listOf(['224.0.0.0', 24, 'ipv4'], ['ff02::', 16, 'ipv6']),
    text: 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  },
] as const

const unspecified = listOf(['0.0.0.0', 32, 'ipv4'], ['::', 128, 'ipv6'])

export function checkIp(address: string, field: string): Errors {
  if (isIP(address) !== 0) return []
  return [fieldInvalid(field, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

export function checkPublicIp(address: string, field: string): Errors {
  const family = isIP(address)
  if (family === 0) return [fieldInvalid(field, address, 'must be a valid IP address')]
  const type = family === 4 ? 'ipv4' : 'ipv6'
  if (unspecified.check(address, type))
    return [fieldInvalid(field, address, `may not be unspecified (${address})`)]
  return special
    .filter(({ list }) => list.check(address, type))
    .map(({ text }) => fieldInvalid(field, address, text))
}

/** `10.0.0.0/8` and the like. */
export function checkCidr(text: string, field: string): Errors {
  const [address = '', prefix = '', more] = text.split('/')
  const family = isIP(address)
  const bits = /^(0|[1-9][0-9]{0,2})$/.test(prefix) ? Number(prefix) : Number.NaN
  if (more === undefined && family !== 0 && bits <= (family === 4 ? 32 : 128)) return []
  return [fieldInvalid(field, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}

type Subnet = readonly [string, number, 'ipv4' | 'ipv6']

function listOf(...subnets: readonly Subnet[]): BlockList {
  const list = new BlockList()
  for (const [address, prefix, type] of subnets) list.addSubnet(address, prefix, type)
  return list
}
