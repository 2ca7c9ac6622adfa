// From a folder to a package: read, check, render, prove, and only then write. What fails leaves nothing behind.
// The proof and the program are handed in: this room boots no plane and builds nothing.

import { type Archive, writePackage } from './archive/archive.ts'
import { PackageError } from './failure.ts'
import type { PackageFiles } from './files.ts'
import { locate } from './locate.ts'
import { type Manifest, readManifest } from './manifest/manifest.ts'
import type { ProofReport, Prove } from './proof.ts'
import type { RenderedObject } from './render/objects.ts'
import { render } from './render/render.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { type Overrides, readValues, type Values } from './values/values.ts'

export interface PackOptions {
  readonly files: PackageFiles
  readonly sandbox: Sandbox
  readonly overrides?: Overrides | undefined
  readonly prove: Prove
  /** The control plane's files by name; asked for only when the proof stands. */
  readonly program: () => Promise<ReadonlyMap<string, Uint8Array>>
  readonly tools: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((step: PackStep) => void) | undefined
}

export const packSteps = ['read', 'render', 'prove', 'program', 'archive'] as const
export type PackStep = (typeof packSteps)[number]

export interface Packed extends Archive {
  readonly manifest: Manifest
  readonly objects: readonly RenderedObject[]
  readonly report: ProofReport
}

export interface RenderedPackage {
  readonly manifest: Manifest
  readonly values: Values
  readonly objects: readonly RenderedObject[]
}

/** Reads, checks and renders; boots nothing. Throws PackageError. */
export async function renderPackage(options: {
  readonly files: PackageFiles
  readonly sandbox: Sandbox
  readonly overrides?: Overrides | undefined
  readonly onStep?: ((step: PackStep) => void) | undefined
}): Promise<RenderedPackage> {
  const { files, sandbox, overrides, onStep } = options
  onStep?.('read')
  const manifest = await readManifest(files, sandbox)
  const values = await readValues({ files, manifest, sandbox, overrides })
  onStep?.('render')
  const objects = await render({ files, manifest, values, sandbox })
  return { manifest, values, objects }
}

/** Throws PackageError when the package is refused, by its own checks or by the proof. */
export async function packFiles(options: PackOptions): Promise<Packed> {
  const { files, prove, program, tools, signal, onStep } = options
  const { manifest, objects } = await renderPackage(options)
  onStep?.('prove')
  const report = await prove({ objects, health: manifest.health, signal })
  const problems = [...report.refused, ...report.notReady]
  if (problems.length > 0) throw new PackageError(locate(problems, files))
  onStep?.('program')
  const programFiles = await program()
  onStep?.('archive')
  const archive = await writePackage({
    manifest,
    sources: files,
    objects,
    program: programFiles,
    tools,
    unproved: report.unproved,
  })
  return { ...archive, manifest, objects, report }
}
