// Reaches a release's API where nothing is published on this machine: through `kubectl port-forward`, as people do.
// The process ends with the tunnel's owner.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { HostFlags } from './host-command.ts'

export const kubectlProgram = (): string => process.env['K3V_KUBECTL'] ?? 'kubectl'

export interface Tunnel extends AsyncDisposable {
  readonly server: string
  /** Resolves when the tunnel has ended, however it did. */
  readonly ended: Promise<unknown>
}

export interface TunnelOptions extends HostFlags {
  readonly release: string
  /** 0 takes any free port. */
  readonly port?: number | undefined
}

/** Rejects with what kubectl said when it cannot be opened. */
export async function openTunnel({
  release,
  port = 0,
  kubeconfig,
  context,
  namespace,
}: TunnelOptions): Promise<Tunnel> {
  const flags = [
    ...(kubeconfig === undefined || kubeconfig === '' ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
    ...(namespace === undefined ? [] : ['--namespace', namespace]),
  ]
  const local = port === 0 ? ':443' : `${port}:443`
  const child = spawn(kubectlProgram(), [...flags, 'port-forward', `service/k3v-${release}`, local], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    return {
      server: `https://${await addressOf(child)}`,
      ended,
      [Symbol.asyncDispose]: async () => {
        child.kill()
        await ended
      },
    }
  } catch (error) {
    child.kill()
    throw error
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  let said = ''
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const ended = once(child, 'close').then(() => undefined)
  // Awaited below, when its output has ended; until then a failure to start must not count as unhandled.
  ended.catch(() => undefined)
  try {
    for await (const text of child.stdout?.setEncoding('utf8').iterator({ destroyOnReturn: false }) ?? []) {
      said += String(text)
      const found = /Forwarding from (127\.0\.0\.1:\d+)/.exec(said)?.[1]
      if (found !== undefined) {
        // Each connection is a line more: nobody reads them, and a full pipe would stop the tunnel.
        child.stdout?.resume()
        return found
      }
    }
    await ended
  } catch (error) {
    throw explained(error)
  }
  throw new Error(`kubectl opened no tunnel: ${complaint.trim() || said.trim() || 'it ended without a word'}`)
}

/** What a person can do about a kubectl that cannot be started. */
export function explained(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') return error
  return new Error(`there is no ${kubectlProgram()}: install kubectl, or name it in K3V_KUBECTL`, {
    cause: error,
  })
}
