// Errors of the network as Node itself would make them, for what the actor refuses.

import { constants } from 'node:os'

export function networkError(
  code: string,
  { syscall, address, port }: { readonly syscall: string; readonly address: string; readonly port?: number },
): Error {
  const place = port === undefined ? address : `${address}:${port}`
  const known = constants.errno as unknown as Readonly<Record<string, number>>
  const text =
    syscall === 'connect'
      ? `connect ${code} ${place}`
      : `${syscall} ${code}${code === 'EADDRINUSE' ? ': address already in use' : ''} ${place}`
  const errno = known[code] === undefined ? undefined : -known[code]
  return Object.assign(new Error(text), {
    code,
    ...(errno === undefined ? {} : { errno }),
    syscall,
    ...(port === undefined ? { hostname: address } : { address, port }),
  })
}
