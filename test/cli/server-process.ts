// Runs `k3v server --no-sync` as users do, in a folder of its own; killed when the test ends.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'
import { createHttpClient, type HttpClient } from '../../src/client/http.ts'

const entry = fileURLToPath(new URL('../../bin/k3v.js', import.meta.url))

export interface ServerFolder extends AsyncDisposable {
  readonly path: string
  readonly kubeconfig: string
  start(args?: readonly string[]): Promise<ServerProcess>
}

export interface ServerProcess {
  readonly child: ChildProcess
  readonly readyLine: string
  client(): Promise<HttpClient>
  /** Ends it with the signal and waits. Answers its exit code, null after SIGKILL. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

export async function serverFolder(): Promise<ServerFolder> {
  const path = await mkdtemp(join(tmpdir(), 'k3v-server-'))
  const kubeconfig = join(path, 'kubeconfig.yaml')
  const running = new Set<ChildProcess>()
  const start = async (args: readonly string[] = ['--listen-port', '0']): Promise<ServerProcess> => {
    const { child, stderr } = run([
      'server',
      '--no-sync',
      '--data-dir',
      join(path, 'data'),
      '--write-kubeconfig',
      kubeconfig,
      ...args,
    ])
    running.add(child)
    const readyLine = await firstLine(child, stderr)
    const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
      const exited = once(child, 'exit')
      child.kill(signal)
      const [code] = (await exited) as [number | null]
      running.delete(child)
      return code
    }
    return { child, readyLine, stop, client: () => clientOf(kubeconfig) }
  }
  const dispose = async (): Promise<void> => {
    for (const child of running) child.kill('SIGKILL')
    await rm(path, { recursive: true, force: true })
  }
  return { path, kubeconfig, start, [Symbol.asyncDispose]: dispose }
}

/** Starts the entry with the repository's Node and an environment without anybody's KUBECONFIG. */
export function run(args: readonly string[]): {
  child: ChildProcess
  stderr: () => string
  stdout: () => string
} {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }
  delete env['KUBECONFIG']
  const child = spawn(process.execPath, [entry, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  let stdout = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  return { child, stderr: () => stderr, stdout: () => stdout }
}

async function firstLine(child: ChildProcess, stderr: () => string): Promise<string> {
  const exited = once(child, 'exit').then(() => 'exited')
  while (!stderr().includes('\n')) {
    const next = await Promise.race([exited, once(child.stderr as NodeJS.ReadableStream, 'data')])
    if (next === 'exited') throw new Error(`the server ended before it was ready: ${stderr()}`)
  }
  return stderr().split('\n')[0] ?? ''
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
    userAgent: 'test',
  })
}
