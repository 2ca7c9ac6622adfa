// Reads k3v.yaml: what a package is called and where its objects come from.
// The form is schemas/package.schema.json, which editors read too; the schema becomes code only in the sandbox.

import { valid } from 'semver'
import { PackageError, type Problem, packageError } from '../failure.ts'
import { type PackageFiles, textOf } from '../files.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import packageSchema from '../schemas/package.schema.json' with { type: 'json' }
import { lineAt, linesOf } from '../yaml/lines.ts'
import { loadOneYaml } from '../yaml/load.ts'
import { explainFault } from './explain.ts'

export const manifestFile = 'k3v.yaml'

export type Source = { readonly manifests: string } | { readonly templates: string }

export interface HealthRule {
  readonly apiVersion: string
  readonly kind: string
  /** CEL over `self`. */
  readonly ready: string
}

export interface Exposed {
  /** `namespace/name` in the package. */
  readonly service: string
  readonly port: number
  readonly name: string
}

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly sources: readonly Source[]
  /** The defaults' file, when there is one. */
  readonly values: string | undefined
  readonly health: readonly HealthRule[]
  readonly expose: readonly Exposed[]
  readonly plane: { readonly memory?: string; readonly storage?: string }
}

interface Document {
  readonly metadata: { readonly name: string; readonly version: string; readonly description?: string }
  readonly spec: {
    readonly sources: readonly Readonly<Record<string, unknown>>[]
    readonly values?: string
    readonly health?: readonly HealthRule[]
    readonly expose?: readonly Exposed[]
    readonly plane?: Manifest['plane']
  }
}

/** Throws PackageError with every fault that was found. */
export async function readManifest(files: PackageFiles, sandbox: Sandbox): Promise<Manifest> {
  const bytes = files.get(manifestFile)
  if (bytes === undefined) throw packageError(manifestFile, 'missing; a package is a folder with this file')
  const text = textOf(bytes)
  const data = loadOneYaml(text, manifestFile)
  const lines = linesOf(text)
  const faults = await sandbox.check({ schema: packageSchema, data: data ?? null }, manifestFile)
  if (faults.length > 0) {
    throw new PackageError(
      faults.flatMap((fault) =>
        explainFault(fault, { schema: packageSchema, data, lines, file: manifestFile }),
      ),
    )
  }
  const document = withPlainPaths(data as Document)
  const problem = (pointer: string, message: string): Problem => ({
    file: manifestFile,
    line: lineAt(lines, pointer),
    message,
  })
  const problems = checkMeaning(document, files, problem)
  if (problems.length > 0) throw new PackageError(problems)
  const { metadata, spec } = document
  return {
    name: metadata.name,
    version: metadata.version,
    description: metadata.description ?? '',
    sources: spec.sources as readonly Source[],
    values: spec.values,
    health: spec.health ?? [],
    expose: spec.expose ?? [],
    plane: spec.plane ?? {},
  }
}

/** `./manifests` is `manifests`. */
function withPlainPaths(document: Document): Document {
  const plain = (path: unknown): unknown => (typeof path === 'string' ? path.replace(/^\.\//, '') : path)
  const { spec } = document
  const sources = spec.sources.map((source) =>
    Object.fromEntries(Object.entries(source).map(([type, path]) => [type, plain(path)])),
  )
  return {
    ...document,
    spec: { ...spec, sources, ...(spec.values && { values: plain(spec.values) as string }) },
  }
}

type MakeProblem = (pointer: string, message: string) => Problem

function checkMeaning({ metadata, spec }: Document, files: PackageFiles, problem: MakeProblem): Problem[] {
  const problems: Problem[] = []
  // Strictly: `v1.2.3` and ` 1.2.3` are other spellings of a version, and a version names files.
  if (valid(metadata.version) !== metadata.version.replace(/\+.*$/, '')) {
    problems.push(
      problem(
        '/metadata/version',
        `metadata.version: ${JSON.stringify(metadata.version)} is no semantic version; write it like 1.4.0`,
      ),
    )
  }
  for (const [index, source] of spec.sources.entries())
    problems.push(...checkSource(source, index, files, problem))
  if (spec.values !== undefined && !files.has(spec.values)) {
    problems.push(problem('/spec/values', `spec.values: there is no file ${spec.values}`))
  }
  return problems
}

function checkSource(
  source: Readonly<Record<string, unknown>>,
  index: number,
  files: PackageFiles,
  problem: MakeProblem,
): Problem[] {
  const [type, path] = Object.entries(source)[0] ?? ['', '']
  const pointer = `/spec/sources/${index}/${type}`
  const field = `spec.sources[${index}].${type}`
  if (type === 'helm' || type === 'kustomize') {
    const tool = type === 'helm' ? 'helm template' : 'kubectl kustomize'
    return [
      problem(
        pointer,
        `${field}: not served by this version; run \`${tool}\` and keep its output under manifests`,
      ),
    ]
  }
  if (filesUnder(files, String(path)).length > 0) return []
  return [problem(pointer, `${field}: there is no ${String(path)} in the package, or it holds no file`)]
}

/** The files of a folder, or the file itself. */
export function filesUnder(files: PackageFiles, path: string): string[] {
  const file = path === '.' ? '' : path.replace(/\/+$/, '')
  const folder = file === '' ? '' : `${file}/`
  return [...files.keys()].filter((name) => name === file || name.startsWith(folder))
}
