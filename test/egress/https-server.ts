// A real HTTPS server on loopback with an authority of its own, and a dialler that routes a published address to it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import type { Dial } from '../../src/egress/dial.ts'
import { createAuthority, issue } from '../../src/pki/certificate.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'

export type Respond = (
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
) => void | Promise<void>

export interface TestServer extends AsyncDisposable {
  readonly caPem: string
  /** As objects hold it. */
  readonly caBundle: string
  readonly port: number
  /** Leads every address to the server, as the embedded host's map does. */
  readonly dial: Dial
  /** What was dialled, `address:port`. */
  readonly dialled: string[]
}

const dayMs = 24 * 3_600_000

export async function startHttpsServer(dnsNames: readonly string[], respond: Respond): Promise<TestServer> {
  const parts = { clock: systemClock, random: systemRandom, validityMs: dayMs }
  const authority = createAuthority({ ...parts, commonName: 'test authority' })
  const leaf = issue(authority, {
    ...parts,
    commonName: 'webhook',
    usages: ['server'],
    dnsNames,
    ipAddresses: [],
  })
  const server = createServer({ key: leaf.keyPem, cert: leaf.certificatePem }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => void respond(request, Buffer.concat(chunks).toString('utf8'), response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const dialled: string[] = []
  return {
    caPem: authority.certificatePem,
    caBundle: Buffer.from(authority.certificatePem).toString('base64'),
    port,
    dialled,
    dial: async (address) => {
      dialled.push(`${address.host}:${address.port}`)
      const socket = connect({ host: '127.0.0.1', port })
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
      return socket
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
