// Builds the Go program beside it and runs it against a plane of its own; says so and stops where Go is missing.
// What is checked stands in go/; a failing check makes the exit code 1.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { simulatePods } from '../controllers/simulate-pods.ts'

const sources = fileURLToPath(new URL('go/', import.meta.url))

process.exitCode = await main(process.argv.slice(2), process.env['KUBECONFIG_UNDER_TEST'])

async function main(names: readonly string[], kubeconfig: string | undefined): Promise<number> {
  if ((await run('go', ['version'], { isQuiet: true })) !== 0) {
    console.log('1..0 # SKIP Go is not installed: the clients of Go are not tested')
    return 0
  }
  const folder = await mkdtemp(join(tmpdir(), 'k3v-clients-'))
  try {
    const program = join(folder, 'clients')
    const built = await run('go', ['build', '-o', program, '.'], { cwd: sources })
    if (built !== 0) return built
    if (kubeconfig !== undefined) return await run(program, [kubeconfig, ...names])
    return await againstPlane(program, join(folder, 'kubeconfig.yaml'), names)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function againstPlane(program: string, path: string, names: readonly string[]): Promise<number> {
  await using plane = await openPlane({ listen: { host: '127.0.0.1', port: 0 } })
  await using _nodes = simulatePods(plane.clientFor())
  await writeKubeconfig({ path, content: plane.kubeconfig() })
  return await run(program, [path, ...names])
}

interface RunOptions {
  readonly cwd?: string
  readonly isQuiet?: boolean
}

/** The exit code; 1 for a program that is missing or was killed. */
function run(
  program: string,
  words: readonly string[],
  { cwd, isQuiet = false }: RunOptions = {},
): Promise<number> {
  const child = spawn(program, [...words], {
    ...(cwd === undefined ? {} : { cwd }),
    stdio: isQuiet ? 'ignore' : 'inherit',
  })
  return new Promise((resolve) => {
    child.on('error', () => resolve(1))
    child.on('close', (code) => resolve(code ?? 1))
  })
}
