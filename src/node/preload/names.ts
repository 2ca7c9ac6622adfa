// Lets a container look up cluster names as if the cluster's DNS were its own; all other names are the machine's.
// Which names there are, the actor knows.

import dns from 'node:dns'
import net from 'node:net'
import os from 'node:os'
import type { Address, Answer, Channel } from './channel.ts'
import { networkError } from './failure.ts'
import { type AnyFunction, replace } from './patch.ts'

export function patchNames(channel: Channel, hostname: string): void {
  replace(os, 'hostname', () => () => hostname)
  patchLookup(channel)
  patchLookupPromise(channel)
  for (const [name, type] of recordTypes) {
    for (const target of [dns, dns.Resolver.prototype]) patchRecords(target, { channel, name, type })
    for (const target of [dns.promises, dns.promises.Resolver.prototype]) {
      patchRecordsPromise(target, { channel, name, type })
    }
  }
}

/** `undefined`: not the cluster's. */
async function findAddresses(
  channel: Channel,
  name: string,
  family: 0 | 4 | 6,
): Promise<readonly Address[] | undefined> {
  const answer = await channel.ask({ op: 'lookup', name, family })
  if ('addresses' in answer) return answer.addresses
  if ('error' in answer) throw networkError(answer.error, { syscall: 'getaddrinfo', address: name })
  return undefined
}

interface Wanted {
  readonly family: 0 | 4 | 6
  readonly all: boolean
}

function wantedOf(options: unknown): Wanted {
  if (typeof options === 'number') return { family: familyOf(options), all: false }
  const { family = 0, all = false } = (options ?? {}) as { family?: unknown; all?: boolean }
  return { family: familyOf(family), all }
}

const familyOf = (family: unknown): 0 | 4 | 6 =>
  family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0

const isPlain = (name: unknown): boolean =>
  typeof name !== 'string' || name === '' || net.isIP(name) !== 0 || name === 'localhost'

function patchLookup(channel: Channel): void {
  replace(dns, 'lookup', (original): AnyFunction => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const [name] = args
      const callback = args.at(-1) as AnyFunction
      if (isPlain(name) || typeof callback !== 'function') return original.apply(this, args)
      const { family, all } = wantedOf(args.length > 2 ? args[1] : undefined)
      findAddresses(channel, name as string, family).then(
        (found) => {
          if (found === undefined) original.apply(this, args)
          else if (all) callback.call(undefined, null, found)
          else callback.call(undefined, null, found[0]?.address, found[0]?.family)
        },
        (error: unknown) => callback.call(undefined, error),
      )
      return {}
    }
  })
}

function patchLookupPromise(channel: Channel): void {
  replace(dns.promises, 'lookup', (original): AnyFunction => {
    return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const [name, options] = args
      if (isPlain(name)) return original.apply(this, args)
      const { family, all } = wantedOf(options)
      const found = await findAddresses(channel, name as string, family)
      if (found === undefined) return original.apply(this, args)
      return all ? found : found[0]
    }
  })
}

// `resolve` itself gets the type as an argument.
const recordTypes: readonly (readonly [string, string | undefined])[] = [
  ['resolve', undefined],
  ['resolve4', 'A'],
  ['resolve6', 'AAAA'],
  ['resolveSrv', 'SRV'],
  ['resolvePtr', 'PTR'],
  ['reverse', 'PTR'],
]

interface Records {
  readonly channel: Channel
  readonly name: string
  readonly type: string | undefined
}

/** `undefined`: not the cluster's. */
async function findRecords(
  args: readonly unknown[],
  { channel, name, type }: Records,
): Promise<readonly unknown[] | undefined> {
  const [asked, second] = args
  if (typeof asked !== 'string') return undefined
  const wanted = type ?? (typeof second === 'string' ? second : 'A')
  const question = name === 'reverse' ? reverseName(asked) : asked
  const answer: Answer = await channel.ask({ op: 'resolve', name: question, type: wanted })
  if ('records' in answer) return answer.records
  if ('error' in answer) throw networkError(answer.error, { syscall: `query${wanted}`, address: asked })
  return undefined
}

const reverseName = (address: string): string => `${address.split('.').reverse().join('.')}.in-addr.arpa`

function patchRecords(target: object, records: Records): void {
  replace(target, records.name, (original): AnyFunction => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const callback = args.at(-1) as AnyFunction
      if (typeof callback !== 'function') return original.apply(this, args)
      findRecords(args, records).then(
        (found) => (found === undefined ? original.apply(this, args) : callback.call(undefined, null, found)),
        (error: unknown) => callback.call(undefined, error),
      )
      return {}
    }
  })
}

function patchRecordsPromise(target: object, records: Records): void {
  replace(target, records.name, (original): AnyFunction => {
    return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return (await findRecords(args, records)) ?? original.apply(this, args)
    }
  })
}
