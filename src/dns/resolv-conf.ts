// The resolvers that a machine names in its resolv.conf(5), read once.
// Who asks them is upstream.ts.

import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

export interface Resolver {
  readonly address: string
  readonly port: number
}

// As in libc.
const resolversMax = 3

/** Empty when the file names none or is missing: foreign names then fail. */
export async function readResolvers(path = '/etc/resolv.conf'): Promise<readonly Resolver[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)]
    .map(([, address = '']) => ({ address, port: 53 }))
    .filter(({ address }) => isIP(address) !== 0)
    .slice(0, resolversMax)
}
