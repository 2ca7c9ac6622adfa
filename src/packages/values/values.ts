// The values of a rendering: the package's defaults, then files, then single settings, checked by the package's schema.
// Values are data: they never become structure (render/substitute.ts).

import { PackageError, packageError } from '../failure.ts'
import { type PackageFiles, textOf } from '../files.ts'
import { explainFault } from '../manifest/explain.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { lineAt, linesOf } from '../yaml/lines.ts'
import { loadOneYaml } from '../yaml/load.ts'
import { applySetting } from './setting.ts'

export type Values = Readonly<Record<string, unknown>>

/** What whoever packs or deploys wants changed; later ones win. */
export interface Overrides {
  readonly files?: readonly { readonly name: string; readonly text: string }[] | undefined
  /** `operator.replicas=2` */
  readonly settings?: readonly string[] | undefined
}

export interface ReadValues {
  readonly files: PackageFiles
  readonly manifest: Manifest
  readonly sandbox: Sandbox
  readonly overrides?: Overrides | undefined
}

export async function readValues({ files, manifest, sandbox, overrides = {} }: ReadValues): Promise<Values> {
  const file = manifest.values
  const text = file === undefined ? '' : textOf(files.get(file) ?? new Uint8Array())
  let values = file === undefined ? {} : mapping(loadOneYaml(text, file), file)
  for (const override of overrides.files ?? []) {
    values = mergeValues(values, mapping(loadOneYaml(override.text, override.name), override.name))
  }
  for (const setting of overrides.settings ?? []) values = applySetting(values, setting)
  await checkValues({ values, files, file: file ?? 'values.yaml', text, sandbox })
  return values
}

/** Mappings are merged, all else is replaced; null takes a default away. Keys that reach a prototype are refused. */
export function mergeValues(below: Values, above: Values): Values {
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = Object.hasOwn(merged, key) ? merged[key] : undefined
    if (value === null) delete merged[key]
    else merged[key] = isMapping(under) && isMapping(value) ? mergeValues(under, value) : value
  }
  return merged
}

/** Beside the values, under a fixed name. */
export const schemaFileOf = (values = ''): string => `${values.replace(/[^/]*$/, '')}values.schema.json`

export const isMapping = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function mapping(value: unknown, file: string): Values {
  if (value === undefined || value === null) return {}
  if (!isMapping(value)) throw packageError(file, 'values are a mapping of names to values')
  refuseForeignKeys(value, file)
  return value
}

function refuseForeignKeys(value: unknown, file: string): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') throw packageError(file, 'a value may not be called __proto__')
    refuseForeignKeys(inner, file)
  }
}

async function checkValues(check: {
  readonly values: Values
  readonly files: PackageFiles
  readonly file: string
  readonly text: string
  readonly sandbox: Sandbox
}): Promise<void> {
  const schemaFile = schemaFileOf(check.file)
  const bytes = check.files.get(schemaFile)
  if (bytes === undefined) return
  const schema = loadOneYaml(textOf(bytes), schemaFile)
  const faults = await check.sandbox.check({ schema, data: check.values }, schemaFile)
  if (faults.length === 0) return
  const lines = linesOf(check.text)
  const problems = faults
    .flatMap((fault) => explainFault(fault, { schema, data: check.values, lines, file: check.file }))
    // What an override brought stands in no line of the defaults.
    .map((problem) => ({ ...problem, line: problem.line ?? lineAt(lines, '') }))
  throw new PackageError(problems)
}
