// The string formats that a CRD may name; others are ignored, with a warning when the CRD is written.
// Upstream: kube-openapi/pkg/validation/strfmt; dashes in a format's name do not count.

import { isIP, isIPv6 } from 'node:net'
import { checksumFormats } from './checksums.ts'
import { isDate, isDateTime, isDuration } from './times.ts'

type Check = (text: string) => boolean

const matching =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text)

const checks: Readonly<Record<string, Check>> = {
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
  uri: isRequestUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: (text) => text.includes('.') && isSloppyIp(text),
  ipv6: (text) => isIPv6(text) && !text.includes('%'),
  cidr: isCidr,
  mac: isMac,
  uuid: matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid3: matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid4: matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  ...checksumFormats,
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: isRgb,
  byte: (text) => text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: isLongName,
}

const plain = (format: string): string => format.replaceAll('-', '')

/** Whether the format means something for values of these types (one type, or none given). */
export function isKnownFormat(format: string, types: readonly string[]): boolean {
  const type = types.length === 1 ? types[0] : ''
  if (type === '' || type === 'string') return Object.hasOwn(checks, plain(format))
  if (type === 'integer') return format === 'int32' || format === 'int64'
  return type === 'number' && (format === 'float' || format === 'double')
}

export function matchesFormat(format: string, text: string): boolean {
  const check = Object.hasOwn(checks, plain(format)) ? checks[plain(format)] : undefined
  return check === undefined || check(text)
}

/** As Go's url.ParseRequestURI: an absolute URI or an absolute path. */
function isRequestUri(text: string): boolean {
  const hasControl = [...text].some((character) => character < ' ' || character === '\u007f')
  if (text === '' || hasControl || /%(?![0-9a-fA-F]{2})/.test(text)) return false
  if (text.startsWith('/')) return true
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text)?.[0]
  if (scheme === undefined) return false
  const rest = text.slice(scheme.length)
  if (!rest.startsWith('//')) return true
  const authority = /^\/\/([^/?]*)/.exec(rest)?.[1] ?? ''
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (host.startsWith('[')) return /^\[[0-9a-fA-F:.%]+\](:\d*)?$/.test(host)
  return !/[\s<>"^`{|}\\]/.test(host) && /^[^:]*(:\d*)?$/.test(host)
}

/** As Go's mail.ParseAddress, for what people write: `a@b.c` and `Name <a@b.c>`. */
function isEmail(text: string): boolean {
  const address = /^[^<>]*<([^<>]+)>\s*$/.exec(text)?.[1] ?? text.trim()
  const at = address.lastIndexOf('@')
  if (at <= 0) return false
  const local = address.slice(0, at)
  const isLocal = /^"(?:[^"\\]|\\.)+"$/.test(local) || isDotAtom(local)
  const domain = address.slice(at + 1)
  return isLocal && (/^\[[^[\]\\\s]+\]$/.test(domain) || isDotAtom(domain))
}

const isDotAtom = (text: string): boolean =>
  text.split('.').every((atom) => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+$/u.test(atom))

const hostCharacter = '[a-zA-Z0-9\\p{S}\\p{L}]'
const hostLabel = new RegExp(`^${hostCharacter}(?:(?:${hostCharacter}|-){0,61}${hostCharacter})?$`, 'u')
const singleLabel = new RegExp(`^${hostCharacter}-?${hostCharacter}{0,62}$`, 'u')
const topLabel = /^[a-zA-Z\p{L}]{2,63}$/u

function isHostname(text: string): boolean {
  const labels = text.split('.')
  const last = labels.pop() ?? ''
  if (Buffer.byteLength(text) > 255 || [...labels, last].some((label) => Buffer.byteLength(label) > 63))
    return false
  if (labels.length === 0) return singleLabel.test(last)
  return topLabel.test(last) && labels.every((label) => hostLabel.test(label))
}

/** Leading zeros of an IPv4 address are let through, as upstream does for old clients. */
const isSloppyIp = (text: string): boolean =>
  !text.includes('%') && isIP(text.replace(/(^|[.:])0+(?=\d+(\.|$))/g, '$1')) !== 0

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  if (more.length > 0 || !/^\d{1,3}$/.test(bits) || !isSloppyIp(address)) return false
  return Number(bits) <= (address.includes(':') ? 128 : 32)
}

function isMac(text: string): boolean {
  const bytes = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2})*$/i.test(text) ? (text.length + 1) / 3 : 0
  const words = /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text) ? ((text.length + 1) / 5) * 2 : 0
  return [6, 8, 20].includes(Math.max(bytes, words))
}

function isRgb(text: string): boolean {
  const parts = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text) ?? []
  const colors = parts
    .slice(1)
    .filter((part) => Number(part) <= 255 && (part === '0' || !part.startsWith('0')))
  return colors.length === 3
}

function isLongName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(part))
}
