// What the built-in types and their fields are for, in upstream's words: for `kubectl explain` and OpenAPI.
// The words are not ours to keep: they are read from client-node's declarations, or from the file made of them at build.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { facts, schemaOf } from './schema.ts'

export interface TypeDescription {
  readonly description: string
  /** By JSON name. A field without a description is left out. */
  readonly fields: Readonly<Record<string, string>>
}

/** Beside the bundle: gzipped JSON of what `collectDescriptions` answers. */
export const descriptionsFile = 'descriptions.json.gz'

/**
 * The description of a definition, or of one of its fields. Undefined when upstream has none, and for everything when
 * neither client-node nor the built file is there.
 */
export function descriptionOf(definition: string, field?: string): string | undefined {
  const described = describe(definition)
  if (described === undefined) return undefined
  if (field === undefined) return described.description === '' ? undefined : described.description
  return Object.hasOwn(described.fields, field) ? described.fields[field] : undefined
}

/** All descriptions, read from client-node: what the build writes into `descriptionsFile`. */
export function collectDescriptions(): Record<string, TypeDescription> {
  const collected: Record<string, TypeDescription> = {}
  for (const definition of Object.keys(facts.types)) {
    const described = readDeclaration(definition)
    if (described !== undefined) collected[definition] = described
  }
  return collected
}

/** The file of a definition among client-node's models, without its ending: `V1Pod`, `CoreV1Event`. */
export function modelOf(definition: string): string | undefined {
  const folder = modelsFolder()
  const [name, version, group] = definition.split('.').reverse()
  if (folder === undefined || name === undefined || version === undefined || group === undefined)
    return undefined
  // Where two groups have a type of one name, client-node puts the group in front.
  const names = [`${capitalised(group)}${capitalised(version)}${name}`, `${capitalised(version)}${name}`]
  return names.find((model) => existsSync(join(folder, `${model}.d.ts`)))
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

const described = new Map<string, TypeDescription | undefined>()
let built: Readonly<Record<string, TypeDescription>> | undefined | 'unread' = 'unread'

function describe(definition: string): TypeDescription | undefined {
  // A name from outside must not grow the map.
  if (!Object.hasOwn(facts.types, definition)) return undefined
  if (built === 'unread') built = readBuilt()
  if (built !== undefined) return built[definition]
  if (!described.has(definition)) described.set(definition, readDeclaration(definition))
  return described.get(definition)
}

function readBuilt(): Readonly<Record<string, TypeDescription>> | undefined {
  const path = fileURLToPath(new URL(descriptionsFile, import.meta.url))
  if (!existsSync(path)) return undefined
  return JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as Record<string, TypeDescription>
}

function readDeclaration(definition: string): TypeDescription | undefined {
  const folder = modelsFolder()
  const model = modelOf(definition)
  if (folder === undefined || model === undefined) return undefined
  const text = readFileSync(join(folder, `${model}.d.ts`), 'utf8')
  const comments = new Map<string, string>()
  for (const [, comment = '', name = ''] of text.matchAll(fieldComment))
    comments.set(name, unescaped(comment))
  const fields: Record<string, string> = {}
  for (const name of schemaOf(definition).properties?.keys() ?? []) {
    const comment = propertyNames(name)
      .map((property) => comments.get(property))
      .find((found) => found !== undefined)
    if (comment !== undefined) fields[name] = comment
  }
  return { description: unescaped(classComment.exec(text)?.[1] ?? ''), fields }
}

const classComment = /^\/\*\*\n\* (.*)\n\*\/\nexport declare class/m
const fieldComment = /^ {4}\/\*\*\n {4}\* (.*)\n {4}\*\/\n {4}'([^']+)'/gm

function unescaped(comment: string): string {
  return comment.replace(/\\(.)/g, '$1')
}

/** How client-node spells a JSON name: reserved words get an underscore, `$` and `-` go. */
function propertyNames(name: string): readonly string[] {
  return [name, `_${name}`, name.replace('$', '').replaceAll('-', '_')]
}

let models: string | undefined | 'unread' = 'unread'

function modelsFolder(): string | undefined {
  if (models === 'unread') models = findModels()
  return models
}

/** Next to a bundle there need be no client-node. */
function findModels(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@kubernetes/client-node')
    const folder = join(dirname(entry), 'gen', 'models')
    return existsSync(folder) ? folder : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
