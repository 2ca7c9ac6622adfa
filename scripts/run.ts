// Starts a tool of the repository with its Node and its node_modules/.bin, and tells how it went.

import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url))

export interface RunResult {
  readonly code: number
  /** Both streams, in the order they came; empty when they went straight to the terminal. */
  readonly output: string
  readonly tookMs: number
}

/** `isShown` lets the tool write to the terminal itself instead of keeping what it says. */
export function runTool(
  command: string,
  args: readonly string[],
  { isShown = false }: { isShown?: boolean } = {},
): Promise<RunResult> {
  const startMs = performance.now()
  const path = [join(repositoryRoot, 'node_modules', '.bin'), process.env['PATH']].join(delimiter)
  const child = spawn(command, args, {
    cwd: repositoryRoot,
    env: { ...process.env, PATH: path },
    stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  })
  const chunks: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code: code ?? 1, output: chunks.join(''), tookMs: performance.now() - startMs })
    })
  })
}
