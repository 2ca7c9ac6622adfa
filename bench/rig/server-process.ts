// Starts `k3v server --no-sync` for a measurement, in a folder of its own, and tells when it was ready.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { load } from 'js-yaml'
import { repositoryRoot } from '../../scripts/run.ts'
import { createHttpClient, type HttpClient } from '../../src/client/http.ts'

export interface Measured extends AsyncDisposable {
  readonly child: ChildProcess
  /** From the process's start to the line that says ready. */
  readonly readyMs: number
  client(): Promise<HttpClient>
}

export async function startServer(): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-bench-'))
  const kubeconfig = join(folder, 'kubeconfig.yaml')
  const args = ['server', '--no-sync', '--listen-port', '0', '--data-dir', join(folder, 'data')]
  const started = performance.now()
  const child = spawn(
    process.execPath,
    [join(repositoryRoot, 'bin/k3v.js'), ...args, '--write-kubeconfig', kubeconfig],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  const readyMs = performance.now() - started
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  return { child, readyMs, client: () => clientOf(kubeconfig), [Symbol.asyncDispose]: stop }
}

async function clientOf(kubeconfig: string): Promise<HttpClient> {
  const { clusters, users } = load(await readFile(kubeconfig, 'utf8')) as {
    clusters: { cluster: Record<string, string> }[]
    users: { user: Record<string, string> }[]
  }
  const decode = (text = ''): string => Buffer.from(text, 'base64').toString('utf8')
  const cluster = clusters[0]?.cluster ?? {}
  const user = users[0]?.user ?? {}
  return createHttpClient({
    server: cluster['server'] ?? '',
    tls: {
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    },
    userAgent: 'bench',
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Resident memory of a process in MiB, as the kernel counts it. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}
