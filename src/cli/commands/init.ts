// `k3v init`: a folder with a package that packs and runs as it is.
// The package stands in templates/package-starter; this file copies it and puts the name in.

import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Args } from '@oclif/core'
import { BaseCommand, exitCodes } from '../base.ts'

const starter = fileURLToPath(new URL('../../../templates/package-starter', import.meta.url))

export default class Init extends BaseCommand {
  static override summary = 'Start a package: a folder with k3v.yaml, manifests, templates and values.'
  static override description =
    'The package is called as the folder. It packs and deploys as it is. Nothing is written over: the folder is new or empty.'

  static override examples = ['<%= config.bin %> init ./app', '<%= config.bin %> init']

  static override args = {
    dir: Args.string({ description: 'the folder; this one unless given', default: '.' }),
  }

  async run(): Promise<unknown> {
    const { args } = await this.parse(Init)
    const [{ isPackageName }, { readFolder, textOf }] = await Promise.all([
      import('../../packages/archive/archive.ts'),
      import('../../packages/files.ts'),
    ])
    const folder = resolve(args.dir)
    const name = basename(folder)
    if (!isPackageName(name)) {
      this.fail(
        `${JSON.stringify(name)} is no name of a package: lower-case letters, digits and dashes, 40 at most`,
        {
          exit: exitCodes.usage,
        },
      )
    }
    await this.#demandEmpty(folder)
    const files = [...(await readFolder(starter))]
    for (const [path, bytes] of files) {
      const text = textOf(bytes)
      const target = join(folder, path)
      await mkdir(dirname(target), { recursive: true })
      const named = path === 'k3v.yaml' ? text.replace('name: starter', `name: ${name}`) : text
      // A file that has come up meanwhile is somebody else's.
      await writeFile(target, named, { flag: 'wx' })
    }
    this.log(`${folder}: package ${name}, ${files.length} files; next: k3v pack ${args.dir}`)
    return { folder, name, files: files.map(([path]) => path) }
  }

  async #demandEmpty(folder: string): Promise<void> {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      return this.fail(`${folder}: not a folder that can be read (${error.code})`)
    })
    const inTheWay = names.find((name) => !name.startsWith('.'))
    if (inTheWay !== undefined) this.fail(`${folder} is not empty: it holds ${inTheWay}`)
  }
}
