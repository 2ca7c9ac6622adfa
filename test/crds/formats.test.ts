// The string formats of CRD schemas, as Go's strfmt reads them.
// That unknown formats are ignored is told in validate.test.ts.

import { test } from 'tap'
import { isKnownFormat, matchesFormat } from '../../src/crds/formats/formats.ts'

const cases: Readonly<Record<string, { readonly yes: readonly string[]; readonly no: readonly string[] }>> = {
  'date-time': {
    yes: ['2026-01-02T03:04:05Z', '2026-01-02t03:04:05.123+01:00', '2024-02-29T00:00:00Z'],
    no: ['2026-01-02', '2026-02-29T00:00:00Z', '2026-01-02T24:00:00Z', '2026-01-02T03:04:05'],
  },
  date: { yes: ['2026-12-31'], no: ['2026-13-01', '2026-1-1', '2025-02-29'] },
  duration: { yes: ['1h30m', '0', '22 ns', '3 days', '-1.5s'], no: ['', 'soon', '5', '1x'] },
  uuid: {
    yes: ['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'],
    no: ['123e4567', 'x23e4567-e89b-12d3-a456-426614174000'],
  },
  ipv4: { yes: ['10.0.0.1', '010.0.0.1', '::ffff:1.2.3.4'], no: ['10.0.0', '10.0.0.256', '::1'] },
  ipv6: { yes: ['::1', '2001:db8::1'], no: ['10.0.0.1', 'fe80::1%eth0', ':::'] },
  cidr: { yes: ['10.0.0.0/8', '2001:db8::/32'], no: ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8/8'] },
  mac: {
    yes: ['00:00:5e:00:53:01', '0000.5e00.5301', '00-00-5e-00-53-01'],
    no: ['00:00:5e:00:53', '00:00-5e:00:53:01'],
  },
  uri: {
    yes: ['https://example.com/a?b=c', '/path', 'mailto:a@b.c', 'http://[::1]:80/'],
    no: ['', 'example.com', 'http://a b/', 'http://a/%zz', 'http://a:port/'],
  },
  email: { yes: ['a@b.c', 'Some One <a@b.c>', '"a b"@c.d'], no: ['a', 'a@', '@b', 'a b@c.d'] },
  hostname: {
    yes: ['example.com', 'localhost', '1.example.com', 'a-b.example.london'],
    no: ['', '-a.example.com', 'a_b.example.com', 'example.c', `${'a'.repeat(64)}.com`],
  },
  byte: { yes: ['YWJj', 'YWI='], no: ['', 'YW', 'Y!Jj'] },
  hexcolor: { yes: ['#fff', 'A0B1C2'], no: ['#ffff'] },
  rgbcolor: { yes: ['rgb(0,10,255)'], no: ['rgb(0,0,256)', 'rgb(0,0)'] },
  isbn: { yes: ['0321751043', '978-0321751041'], no: ['0321751044'] },
  creditcard: { yes: ['4111-1111-1111-1111'], no: ['4111-1111-1111-1112'] },
  'k8s-short-name': { yes: ['a-b'], no: ['A', 'a.b', '-a'] },
  'k8s-long-name': { yes: ['a-b.c'], no: ['A', 'a..b'] },
}

test('formats accept and refuse what upstream does', async (t) => {
  for (const [format, { yes, no }] of Object.entries(cases)) {
    t.ok(isKnownFormat(format, ['string']), `${format} is known`)
    for (const text of yes) t.ok(matchesFormat(format, text), `${format}: ${text}`)
    for (const text of no) t.notOk(matchesFormat(format, text), `${format}: not ${text}`)
  }
})

test('formats of other types mean something there only', async (t) => {
  t.ok(isKnownFormat('int32', ['integer']))
  t.notOk(isKnownFormat('int32', ['string']))
  t.notOk(isKnownFormat('int32', ['integer', 'string']))
  t.ok(isKnownFormat('float', ['number']))
})
