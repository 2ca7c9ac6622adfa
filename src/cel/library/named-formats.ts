// Kubernetes' `format` library: names and formats that a text can be held against.
// Upstream: apiserver/pkg/cel/library/format.go.

import {
  asPrefix,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  labelValueRule,
  qualifiedName,
} from '../../api/validate/names.ts'
import type { Meter } from '../failure.ts'
import { ListValue, type Opaque, Optional, type Value } from '../value.ts'
import { parseTimestamp } from './clock-text.ts'
import { declare, type Overload } from './overload.ts'

type Check = (text: string) => readonly string[]
type Format = Extract<Opaque, { readonly opaque: 'format' }>

const fits =
  (problem: string, ask: (text: string) => boolean): Check =>
  (text) =>
    ask(text) ? [] : [problem]

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const checks: Readonly<Record<string, Check>> = {
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label,
  qualifiedName,
  dns1123LabelPrefix: asPrefix(dnsLabel),
  dns1123SubdomainPrefix: asPrefix(dnsSubdomain),
  dns1035LabelPrefix: asPrefix(dns1035Label),
  labelValue: labelValueRule,
  uri: fits('invalid URI for request', (text) => /^([a-zA-Z][a-zA-Z0-9+.-]*:|\/)\S*$/.test(text)),
  uuid: fits('does not match the UUID format', (text) => uuidPattern.test(text)),
  byte: fits('invalid base64', (text) => text !== '' && base64Pattern.test(text)),
  date: fits('invalid date', (text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined),
  datetime: fits('invalid datetime', (text) => parseTimestamp(text) !== undefined),
}

const formats = new Map<string, Format>(
  Object.entries(checks).map(([name, check]) => [name, { opaque: 'format', name, check }]),
)

function validate(format: Format, text: string, meter: Meter): Value {
  meter.charge(10 + text.length)
  const problems = format.check(text)
  return new Optional(problems.length === 0 ? undefined : ListValue.of([...problems]))
}

export const namedFormats: readonly Overload[] = [
  ...[...formats].map(([name, format]) => declare(`format.${name}(): format`, () => format)),
  declare('format.named(string): optional<format>', (name: string) => new Optional(formats.get(name))),
  declare('.validate(format, string): optional<list<string>>', validate),
]
