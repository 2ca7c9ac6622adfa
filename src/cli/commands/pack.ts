// `k3v pack`: a folder becomes a package, or a list of what is wrong with it.
// What packing is stands in packages/pack.ts; this file wires in the proof and the program, and prints.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { Packed, PackStep } from '../../packages/pack.ts'
import { BaseCommand, exitCodes } from '../base.ts'

const sentences: Readonly<Record<PackStep, string>> = {
  read: 'reading the package',
  render: 'rendering its objects',
  prove: 'proving it in a control plane of its own',
  program: 'fetching the control plane’s program',
  archive: 'writing the archive',
}

export default class Pack extends BaseCommand {
  static override summary =
    'Check an application against a real API server and pack it with its control plane.'
  static override description =
    'DIR holds k3v.yaml. Everything is rendered and applied in a control plane inside this process; what it refuses, or ' +
    'what does not become ready, is reported and no file is written.'

  static override examples = [
    '<%= config.bin %> pack ./app',
    '<%= config.bin %> pack ./app -o app.tgz --set operator.replicas=2',
    '<%= config.bin %> pack ./app -f production.yaml --json',
  ]

  static override args = {
    dir: Args.string({ description: 'folder that holds k3v.yaml', required: true }),
  }

  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'the file to write; NAME-VERSION.tgz here unless given',
      helpValue: 'FILE',
    }),
    values: Flags.string({
      char: 'f',
      description: 'values that go over the defaults; later files win',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    set: Flags.string({
      description: 'one value by its path, as in operator.replicas=2',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Pack)
    const overrides = { files: await this.#readOverrides(flags.values ?? []), settings: flags.set ?? [] }
    const packed = await this.#pack(args.dir, overrides)
    const { manifest, lock, digest, bytes, report } = packed
    const { archiveName } = await import('../../packages/archive/archive.ts')
    const file = resolve(flags.output ?? archiveName(manifest))
    await writeWhole(file, bytes)
    for (const sentence of report.unproved) this.progress(`not proved: ${sentence}`)
    this.log(`${file}: ${lock.objects} objects, ${(bytes.length / 1024).toFixed(0)} KiB, ${digest}`)
    const { name, version } = manifest
    return {
      file,
      name,
      version,
      digest,
      bytes: bytes.length,
      objects: lock.objects,
      images: lock.images,
      apis: lock.apis,
      unproved: report.unproved,
    }
  }

  async #pack(
    folder: string,
    overrides: { files: { name: string; text: string }[]; settings: string[] },
  ): Promise<Packed> {
    const [
      { packFiles },
      { readFolder },
      { PackageError },
      { createSandbox },
      { createProof },
      { bootProofPlane },
      program,
    ] = await Promise.all([
      import('../../packages/pack.ts'),
      import('../../packages/files.ts'),
      import('../../packages/failure.ts'),
      import('../../packages/sandbox/sandbox.ts'),
      import('../../deploy/prove/prove.ts'),
      import('../../plane/proof.ts'),
      import('../program-files.ts'),
    ])
    try {
      return await packFiles({
        files: await readFolder(folder),
        sandbox: createSandbox(),
        overrides,
        prove: createProof({ bootPlane: bootProofPlane }),
        program: program.readProgram,
        tools: await program.readTools(),
        onStep: (step) => this.progress(sentences[step]),
      })
    } catch (error) {
      if (error instanceof PackageError) this.fail(error.message)
      throw error
    }
  }

  async #readOverrides(files: readonly string[]): Promise<{ name: string; text: string }[]> {
    return Promise.all(
      files.map(async (name) => {
        try {
          return { name, text: await readFile(name, 'utf8') }
        } catch (error) {
          return this.fail(`${name}: cannot be read: ${(error as Error).message}`, { exit: exitCodes.usage })
        }
      }),
    )
  }
}

/** Nobody ever sees half an archive under the name. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const draft = join(dirname(file), `.${process.pid}-${Buffer.from(file).toString('hex').slice(-16)}.part`)
  await writeFile(draft, bytes)
  await rename(draft, file)
}
