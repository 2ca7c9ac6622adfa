// Runs the real kubectl in a test: with the kubeconfig given, and nothing of the machine's own configuration.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubectlPath } from '../scripts/tools.ts'

export interface KubectlResult {
  /** 1 also when kubectl was killed by a signal or by the time limit. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface KubectlOptions {
  /** The path of a kubeconfig file. */
  readonly kubeconfig: string
  /** Standard input, for `-f -`. */
  readonly input?: string
  /** A folder that is home and cache; without it each call gets one of its own, discovery cache included. */
  readonly home?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** `await runKubectl(['get', 'pods'], { kubeconfig })`; a failing kubectl is an answer, not an exception. */
export async function runKubectl(args: readonly string[], options: KubectlOptions): Promise<KubectlResult> {
  const { home, ...rest } = options
  if (home !== undefined) return await start(args, { ...rest, home })
  const ownHome = await mkdtemp(join(tmpdir(), 'k3v-kubectl-'))
  try {
    return await start(args, { ...rest, home: ownHome })
  } finally {
    await rm(ownHome, { recursive: true, force: true })
  }
}

async function start(
  args: readonly string[],
  { kubeconfig, input = '', home, signal, timeoutMs = 30_000 }: KubectlOptions & { home: string },
): Promise<KubectlResult> {
  const child = spawn(await kubectlPath(), [...args], {
    env: {
      HOME: home,
      KUBECACHEDIR: join(home, 'cache'),
      KUBECONFIG: kubeconfig,
      PATH: process.env['PATH'],
      NO_PROXY: '*',
    },
    timeout: timeoutMs,
    signal,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  // kubectl that refuses its flags is gone before it reads.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  })
}
