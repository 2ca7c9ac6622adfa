// URLs, IP addresses and blocks, as Kubernetes' libraries have them.
// Upstream: apiserver/pkg/cel/library urls.go, ip.go, cidr.go.

import { fail, ListValue, MapValue, type Opaque, type Value } from '../value.ts'
import {
  type Cidr,
  containsCidr,
  containsIp,
  type Ip,
  maskIp,
  parseCidr,
  parseIp,
  writeIp,
} from './address.ts'
import { declare, type Overload } from './overload.ts'

type Of<Name extends Opaque['opaque']> = Extract<Opaque, { readonly opaque: Name }>

/** An absolute URL or an absolute path; Go's parser takes no control characters and no bad escapes. */
function parseUrl(text: string): Of<'url'> | undefined {
  if (/[\p{Cc} ]/u.test(text) || /%(?![0-9a-fA-F]{2})/.test(text)) return undefined
  const isPath = text.startsWith('/')
  if (!isPath && !/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)) return undefined
  try {
    return { opaque: 'url', text, url: new URL(isPath ? `path://host${text}` : text) }
  } catch {
    return undefined
  }
}

/** Scheme and host as they were written: JavaScript would drop the default port. */
function partsOf({ text }: Of<'url'>): { readonly scheme: string; readonly host: string } {
  const [, scheme = '', , authority = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(\/\/([^/?#]*))?/.exec(text) ?? []
  return { scheme: scheme.toLowerCase(), host: authority.slice(authority.lastIndexOf('@') + 1) }
}

const portOf = (host: string): string => /:(\d*)$/.exec(host)?.[1] ?? ''
const hostnameOf = (host: string): string =>
  host.startsWith('[') ? host.slice(1, Math.max(1, host.indexOf(']'))) : host.replace(/:\d*$/, '')

function pathOf({ text }: Of<'url'>): string {
  return /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?:\/\/[^/?#]*)?([^?#]*)/.exec(text)?.[1] ?? ''
}

function queryOf({ url }: Of<'url'>): Value {
  const entries = new Map<string, Value[]>()
  for (const [key, value] of url.searchParams) entries.set(key, [...(entries.get(key) ?? []), value])
  return MapValue.of([...entries].map(([key, values]) => [key, ListValue.of(values)]))
}

const ipValue = (ip: Ip): Of<'ip'> => ({ opaque: 'ip', ip })
const cidrValue = (cidr: Cidr): Of<'cidr'> => ({ opaque: 'cidr', cidr })
const readIp = (text: string): Ip =>
  parseIp(text) ?? fail(`IP Address ${JSON.stringify(text)} parse error during conversion from string`)
const readCidr = (text: string): Cidr =>
  parseCidr(text) ?? fail(`CIDR ${JSON.stringify(text)} parse error during conversion from string`)

const isV4 = ({ bytes }: Ip): boolean => bytes.length === 4
const at = ({ bytes }: Ip, index: number): number => bytes[index] ?? 0
const isZero = ({ bytes }: Ip): boolean => bytes.every((byte) => byte === 0)
const isLoopback = (ip: Ip): boolean => (isV4(ip) ? at(ip, 0) === 127 : writeIp(ip) === '::1')
const isMulticast = (ip: Ip): boolean => (isV4(ip) ? (at(ip, 0) & 0xf0) === 0xe0 : at(ip, 0) === 0xff)
const isLinkLocalMulticast = (ip: Ip): boolean =>
  isV4(ip)
    ? at(ip, 0) === 224 && at(ip, 1) === 0 && at(ip, 2) === 0
    : at(ip, 0) === 0xff && (at(ip, 1) & 0x0f) === 0x02
const isLinkLocalUnicast = (ip: Ip): boolean =>
  isV4(ip) ? at(ip, 0) === 169 && at(ip, 1) === 254 : at(ip, 0) === 0xfe && (at(ip, 1) & 0xc0) === 0x80
const isGlobalUnicast = (ip: Ip): boolean =>
  !isZero(ip) &&
  !isLoopback(ip) &&
  !isMulticast(ip) &&
  !isLinkLocalUnicast(ip) &&
  !(isV4(ip) && ip.bytes.every((byte) => byte === 255))

const askIp = (name: string, ask: (ip: Ip) => boolean): Overload =>
  declare(`.${name}(ip): bool`, ({ ip }: Of<'ip'>) => ask(ip))

export const network: readonly Overload[] = [
  declare(
    'url(string): url',
    (text: string) =>
      parseUrl(text) ?? fail(`URL parse error during conversion from string: parse ${JSON.stringify(text)}`),
  ),
  declare('isURL(string): bool', (text: string) => parseUrl(text) !== undefined),
  declare('.getScheme(url): string', (url: Of<'url'>) => partsOf(url).scheme),
  declare('.getHost(url): string', (url: Of<'url'>) => partsOf(url).host),
  declare('.getHostname(url): string', (url: Of<'url'>) => hostnameOf(partsOf(url).host)),
  declare('.getPort(url): string', (url: Of<'url'>) => portOf(partsOf(url).host)),
  declare('.getEscapedPath(url): string', pathOf),
  declare('.getQuery(url): map<string, list<string>>', queryOf),
  declare('ip(string): ip', (text: string) => ipValue(readIp(text))),
  declare('isIP(string): bool', (text: string) => parseIp(text) !== undefined),
  declare('ip.isCanonical(string): bool', (text: string) => writeIp(readIp(text)) === text),
  declare('.family(ip): int', ({ ip }: Of<'ip'>) => (isV4(ip) ? 4n : 6n)),
  askIp('isUnspecified', isZero),
  askIp('isLoopback', isLoopback),
  askIp('isLinkLocalMulticast', isLinkLocalMulticast),
  askIp('isLinkLocalUnicast', isLinkLocalUnicast),
  askIp('isGlobalUnicast', isGlobalUnicast),
  declare('cidr(string): cidr', (text: string) => cidrValue(readCidr(text))),
  declare('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined),
  declare('.containsIP(cidr, string): bool', ({ cidr }: Of<'cidr'>, text: string) =>
    containsIp(cidr, readIp(text)),
  ),
  declare('.containsIP(cidr, ip): bool', ({ cidr }: Of<'cidr'>, { ip }: Of<'ip'>) => containsIp(cidr, ip)),
  declare('.containsCIDR(cidr, string): bool', ({ cidr }: Of<'cidr'>, text: string) =>
    containsCidr(cidr, readCidr(text)),
  ),
  declare('.containsCIDR(cidr, cidr): bool', (outer: Of<'cidr'>, inner: Of<'cidr'>) =>
    containsCidr(outer.cidr, inner.cidr),
  ),
  declare('.ip(cidr): ip', ({ cidr }: Of<'cidr'>) => ipValue(cidr.ip)),
  declare('.prefixLength(cidr): int', ({ cidr }: Of<'cidr'>) => BigInt(cidr.prefix)),
  declare('.masked(cidr): cidr', ({ cidr }: Of<'cidr'>) =>
    cidrValue({ ip: maskIp(cidr.ip, cidr.prefix), prefix: cidr.prefix }),
  ),
]
