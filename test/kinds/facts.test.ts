import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Schema } from '../../src/api/schema.ts'
import { collectDescriptions, descriptionOf, modelOf } from '../../src/kinds/facts/descriptions.ts'
import { facts, schemaOf, schemaOfKind, type TypeFacts } from '../../src/kinds/facts/schema.ts'
import { goModule } from './go-modules.ts'

t.test('the table has as many facts as it had when it was last read over', async (t) => {
  const fields = Object.values(facts.types).flatMap((type) => Object.values(type.fields ?? {}))
  const count = (holds: (field: (typeof fields)[number]) => boolean) => fields.filter(holds).length
  t.strictSame(
    {
      kubernetes: facts.kubernetes,
      kinds: facts.kinds.length,
      types: Object.keys(facts.types).length,
      fields: fields.length,
      required: count((field) => field.r === 1),
      enums: count((field) => field.enum !== undefined),
      lists: count((field) => field.list !== undefined),
      keyedLists: count((field) => field.keys !== undefined),
      mergedLists: count((field) => field.mergeKey !== undefined),
      defaults: count((field) => field.default !== undefined),
      inlined: Object.values(facts.types).filter((type) => type.inline !== undefined).length,
      wrappers: Object.values(facts.types).filter((type) => type.wrapper !== undefined).length,
    },
    {
      kubernetes: 'v1.36.3',
      kinds: 225,
      types: 820,
      fields: 3314,
      required: 733,
      enums: 118,
      lists: 418,
      keyedLists: 80,
      mergedLists: 68,
      defaults: 30,
      inlined: 25,
      wrappers: 4,
    },
  )
})

// client-node is made from the OpenAPI that a real 1.36 serves.
interface Attribute {
  readonly name: string
  readonly baseName: string
  readonly type: string
  readonly format: string
}
type Model = { readonly attributeTypeMap?: readonly Attribute[] }

const modelsFolder = join(
  dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')),
  'gen/models',
)
const models: Readonly<Record<string, Model>> = await import(pathToFileURL(join(modelsFolder, 'all.js')).href)
/** Not a type of k8s.io/api: what `/version` answers. */
const modelsWithoutFacts = ['VersionInfo']
const definitions = new Map(Object.keys(facts.types).map((definition) => [modelOf(definition), definition]))

t.test('each model of client-node is in the table, under one name', async (t) => {
  const missing = Object.keys(models).filter((model) => !definitions.has(model))
  t.strictSame(missing, modelsWithoutFacts)
  const described = Object.keys(facts.types).filter((definition) => modelOf(definition) !== undefined)
  t.equal(described.length, Object.keys(models).length - modelsWithoutFacts.length)
})

t.test(
  'each model of client-node has the fields of the table, with their types, and no others',
  async (t) => {
    for (const [name, { attributeTypeMap = [] }] of Object.entries(models)) {
      const definition = definitions.get(name)
      if (definition === undefined) continue
      const theirs = Object.fromEntries(attributeTypeMap.map((field) => [field.baseName, typeOf(field)]))
      const ours = Object.fromEntries(
        [...(schemaOf(definition).properties ?? [])].map(([field, schema]) => [field, modelTypeOf(schema)]),
      )
      t.strictSame(ours, theirs, definition)
    }
  },
)

t.test('each model of client-node requires the fields that the table requires', async (t) => {
  for (const [name, { attributeTypeMap = [] }] of Object.entries(models)) {
    const definition = definitions.get(name)
    if (definition === undefined) continue
    const text = readFileSync(join(modelsFolder, `${name}.d.ts`), 'utf8')
    const required = attributeTypeMap.filter((field) => text.includes(`\n    '${field.name}': `))
    t.strictSame(
      [...(schemaOf(definition).required ?? [])].sort(),
      required.map((field) => field.baseName).sort(),
      definition,
    )
  }
})

function typeOf({ type, format }: Attribute): string {
  return format === '' ? type : `${type} ${format}`
}

/** How client-node names the type and format of a node. */
function modelTypeOf(schema: Schema): string {
  if (schema.type === 'array') return wrapped(schema.items, (type) => `Array<${type}>`)
  if (schema.additionalProperties !== undefined) {
    return wrapped(schema.additionalProperties, (type) => `{ [key: string]: ${type}; }`)
  }
  const special = modelTypes[schema.format ?? '']
  if (special !== undefined) return special
  if (schema.format !== undefined) return `${schema.type === 'string' ? 'string' : 'number'} ${schema.format}`
  if (schema.properties === undefined) return schema.type === 'object' ? 'any' : schema.type
  return modelOf(schema.name ?? '') ?? 'any'
}

const modelTypes: Readonly<Record<string, string>> = {
  time: 'Date date-time',
  'micro-time': 'V1MicroTime date-time-micro',
  'int-or-string': 'IntOrString int-or-string',
  quantity: 'string',
}

function wrapped(element: Schema | undefined, wrap: (type: string) => string): string {
  const [type = '', ...format] = element === undefined ? [] : modelTypeOf(element).split(/ (?=[a-z0-9-]+$)/)
  return [wrap(type), ...format].join(' ')
}

t.test('each protobuf number is mapped once, and nothing that travels lacks one', async (t) => {
  for (const [definition, type] of Object.entries(facts.types)) {
    const numbers = protoNumbers(type)
    t.equal(new Set(numbers).size, numbers.length, `${definition} has no number twice`)
    const unnumbered = Object.entries(type.fields ?? {}).filter(([, field]) => field.p === undefined)
    const names = unnumbered.map(([name]) => name).filter((name) => name !== 'apiVersion' && name !== 'kind')
    if (!jsonOnly.includes(definition.split('.').at(-1) ?? '')) t.strictSame(names, [], definition)
  }
})

const jsonOnly = [
  'Table',
  'TableColumnDefinition',
  'TableRow',
  'TableRowCondition',
  'PartialObjectMetadataList',
]

function protoNumbers(type: TypeFacts): number[] {
  const fields = Object.values(type.fields ?? {}).flatMap(({ p }) => (p === undefined ? [] : [p]))
  return [...fields, ...(type.inline ?? []).map(({ p }) => p)].sort((a, b) => a - b)
}

t.test('each message of upstream’s generated.proto has the numbers of the table', async (t) => {
  let compared = 0
  for (const [module, folder] of protoFolders()) {
    const found = goModule(module)
    if ('reason' in found) {
      t.comment(`${module}: skipped, ${found.reason}`)
      return
    }
    const text = readFileSync(join(found.folder, folder, 'generated.proto'), 'utf8')
    const prefix = `${module.replace('k8s.io', 'io.k8s')}/${folder}`.replaceAll('/', '.')
    for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{\n(.*?)^\}/gms)) {
      const type = facts.types[`${prefix}.${name}`]
      if (type === undefined || type.wrapper !== undefined) continue
      const numbers = [...body.matchAll(/^ {2}[^/\n]* = (\d+)( \[.*\])?;$/gm)].map(([, number]) =>
        Number(number),
      )
      t.strictSame(
        protoNumbers(type),
        numbers.sort((a, b) => a - b),
        `${prefix}.${name}`,
      )
      compared += 1
    }
  }
  t.ok(compared > 750, `${compared} messages compared`)
})

/** The modules and folders of all definitions. */
function protoFolders(): readonly (readonly [string, string])[] {
  const folders = new Map<string, readonly [string, string]>()
  for (const definition of Object.keys(facts.types)) {
    const [, module, ...path] = definition.split('.').slice(1)
    const folder = path.slice(0, -1).join('/')
    folders.set(`${module}/${folder}`, [`k8s.io/${module}`, folder])
  }
  return [...folders.values()]
}

t.test('schemaOf() merges inlined structs, and keeps them apart for protobuf', async (t) => {
  const volume = schemaOf('io.k8s.api.core.v1.Volume')
  t.equal(volume.properties?.get('emptyDir')?.name, 'io.k8s.api.core.v1.EmptyDirVolumeSource')
  t.equal(volume.properties?.get('emptyDir')?.proto, undefined)
  t.strictSame(volume.properties?.get('name')?.proto, {
    number: 1,
    kind: 'string',
    isPointer: false,
    dropsZero: false,
  })
  const inlined = volume.protoInline?.[0]
  t.match(inlined, { number: 2, schema: { name: 'io.k8s.api.core.v1.VolumeSource' } })
  t.equal(inlined?.schema.properties?.get('emptyDir')?.proto?.number, 2)
})

t.test('schemaOf() answers types that hold themselves', async (t) => {
  const schema = schemaOf('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  t.equal(schema.properties?.get('not')?.properties, schema.properties)
})

t.test('schemaOf() says how lists and maps merge', async (t) => {
  const ports = schemaOf('io.k8s.api.core.v1.ServiceSpec').properties?.get('ports')
  t.match(ports, {
    listType: 'map',
    listMapKeys: ['port', 'protocol'],
    patchStrategy: 'merge',
    patchMergeKey: 'port',
  })
  const protocol = ports?.items?.properties?.get('protocol')
  t.match(protocol, { default: 'TCP', enum: ['SCTP', 'TCP', 'UDP'] })
  t.equal(schemaOf('io.k8s.api.core.v1.ServiceSpec').properties?.get('selector')?.mapType, 'atomic')
  t.equal(schemaOf('io.k8s.api.core.v1.ObjectReference').mapType, 'atomic')
})

t.test('schemaOf() throws for a name that is not in the table', async (t) => {
  t.throws(() => schemaOf('io.k8s.api.core.v1.Nothing').properties, {
    message: 'no facts about io.k8s.api.core.v1.Nothing',
  })
})

t.test('schemaOfKind() finds kinds, lists, and the kinds of meta/v1 in any group', async (t) => {
  const nameOf = (group: string, version: string, kind: string) =>
    schemaOfKind({ group, version, kind })?.name
  t.equal(nameOf('', 'v1', 'Pod'), 'io.k8s.api.core.v1.Pod')
  t.equal(nameOf('apps', 'v1', 'DeploymentList'), 'io.k8s.api.apps.v1.DeploymentList')
  t.equal(nameOf('example.com', 'v1', 'DeleteOptions'), 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')
  t.equal(nameOf('apps', 'v1', 'Pod'), undefined)
})

t.test('descriptionOf() has upstream’s words', async (t) => {
  const pod = 'io.k8s.api.core.v1.Pod'
  t.equal(descriptionOf(pod)?.startsWith('Pod is a collection of containers'), true)
  t.equal(descriptionOf(pod, 'kind')?.startsWith('Kind is a string value'), true)
  t.equal(descriptionOf(pod, 'spec'), undefined)
  t.equal(descriptionOf(pod, 'toString'), undefined)
  t.equal(descriptionOf('io.k8s.api.core.v1.Nothing'), undefined)
  const props = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
  t.equal(descriptionOf(props, 'default')?.startsWith('default is a default value'), true)
  t.equal(descriptionOf('io.k8s.api.events.v1.Event', 'note')?.startsWith('note is a human-readable'), true)
})

t.test('collectDescriptions() has all of them', async (t) => {
  const collected = collectDescriptions()
  t.equal(Object.keys(collected).length, Object.keys(models).length - modelsWithoutFacts.length)
  t.equal(
    collected['io.k8s.api.core.v1.Pod']?.fields['kind'],
    descriptionOf('io.k8s.api.core.v1.Pod', 'kind'),
  )
})
