// Names to addresses and addresses to sockets, as the machine does it; both are handed to egress and can be replaced.
// Whether an address may be dialled is deny.ts's to say.

import { lookup } from 'node:dns/promises'
import { createConnection, type Socket } from 'node:net'
import type { Address } from './deny.ts'

/** Opens a connection to a published address. Rejects with the socket's error; closes it when the signal fires first. */
export type Dial = (address: Address, options: { readonly signal: AbortSignal }) => Promise<Socket>

/** All addresses of a name, or none. Called once a request. */
export type Resolve = (name: string) => Promise<readonly string[]>

const addressesMax = 16

export const systemResolve: Resolve = async (name) => {
  const found = await lookup(name, { all: true })
  return found.slice(0, addressesMax).map(({ address }) => address)
}

export const systemDial: Dial = ({ host, port }, { signal }) =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ host, port })
    const abort = (): void => {
      socket.destroy()
      reject(signal.reason)
    }
    const settle = (): void => {
      signal.removeEventListener('abort', abort)
      socket.removeAllListeners('connect')
      socket.removeAllListeners('error')
    }
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
    socket.once('error', (error) => {
      settle()
      reject(error)
    })
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
