// From a package's files to its objects, in the order in which they are applied.
// Plain manifests are read here; templates are rendered in the sandbox and filled here.

import { type Random, systemRandom } from '../../platform/random.ts'
import { packageError } from '../failure.ts'
import { type PackageFiles, textOf } from '../files.ts'
import { filesUnder, type Manifest, manifestFile, type Source } from '../manifest/manifest.ts'
import { applyOrder } from '../order.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { schemaFileOf, type Values } from '../values/values.ts'
import { loadYaml } from '../yaml/load.ts'
import { objectsOf, type RenderedObject, refuseDuplicates } from './objects.ts'
import { substitute } from './substitute.ts'

export interface RenderOptions {
  readonly files: PackageFiles
  readonly manifest: Manifest
  readonly values: Values
  readonly sandbox: Sandbox
  readonly random?: Random | undefined
}

export const objectsMax = 5_000

const isManifest = (path: string): boolean => /\.(ya?ml|json)$/.test(path)
const isTemplate = (path: string): boolean => /\.(ya?ml|json)(\.hbs)?$/.test(path)

/** Throws PackageError. An answer is never empty: a package without objects is refused. */
export async function render(options: RenderOptions): Promise<readonly RenderedObject[]> {
  const objects: RenderedObject[] = []
  for (const source of options.manifest.sources) objects.push(...(await renderSource(source, options)))
  if (objects.length === 0) throw packageError('k3v.yaml', 'the sources hold no object')
  if (objects.length > objectsMax)
    throw packageError('k3v.yaml', `the sources hold more than ${objectsMax} objects`)
  refuseDuplicates(objects)
  return applyOrder(objects, ({ object }) => object)
}

function renderSource(source: Source, options: RenderOptions): Promise<RenderedObject[]> | RenderedObject[] {
  return 'templates' in source
    ? renderTemplates(source.templates, options)
    : readManifests(source.manifests, options)
}

function readManifests(path: string, { files, manifest }: RenderOptions): RenderedObject[] {
  return filesUnder(files, path)
    .filter((file) => isManifest(file) && !isOwn(file, manifest))
    .flatMap((file) => objectsOf({ file, documents: loadYaml(contentOf(files, file), file) }))
}

async function renderTemplates(path: string, options: RenderOptions): Promise<RenderedObject[]> {
  const { files, manifest, values, sandbox, random = systemRandom } = options
  const templates = filesUnder(files, path)
    .filter((file) => isTemplate(file) && !isOwn(file, manifest))
    .map((file) => ({ file, text: contentOf(files, file) }))
  if (templates.length === 0) return []
  const nonce = Buffer.from(random.bytes(12)).toString('hex')
  const about = { name: manifest.name, version: manifest.version }
  const rendered = await sandbox.render({ templates, values, about, nonce })
  return rendered.flatMap((one) => {
    const documents = loadYaml(one.text, one.file).map((document) =>
      substitute(document, { rendered: one, nonce }),
    )
    return objectsOf({ file: one.file, documents })
  })
}

/** What tells of the package is no part of what it applies, wherever its objects are looked for. */
const isOwn = (file: string, { values }: Manifest): boolean =>
  file === manifestFile || file === values || file === schemaFileOf(values)

const contentOf = (files: PackageFiles, file: string): string => textOf(files.get(file) ?? new Uint8Array())
