// One OpenAPI document out of kinds: version 3 for a group version, version 2 for everything at once.
// Serving and caching are openapi.ts's.

import { apiVersionOf } from '../../api/object.ts'
import type { Schema } from '../../api/schema.ts'
import { schemaOf, schemaOfKind } from '../../kinds/facts/schema.ts'
import type { Kind } from '../../kinds/kind.ts'
import { kubernetesVersion } from '../version.ts'
import { pathsOf } from './paths.ts'
import { Definitions, type Dialect, type GroupVersionKind } from './schemas.ts'

type Document = Record<string, unknown>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const text: Schema = { type: 'string' }

/** The document of one group version. */
export function documentV3(root: string, kinds: readonly Kind[]): Document {
  const builder = new Builder('v3')
  const paths = builder.pathsFor(root, kinds)
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: `v${kubernetesVersion}` },
    paths,
    components: {
      schemas: builder.definitions.all(),
      securitySchemes: { BearerToken: bearerToken },
    },
  }
}

/** All group versions in one document; only kinds are described, not the parameters of each path. */
export function documentV2(
  groups: readonly { readonly root: string; readonly kinds: readonly Kind[] }[],
): Document {
  const builder = new Builder('v2')
  const paths = Object.assign(
    {},
    ...groups.map(({ root, kinds }) => builder.pathsFor(root, kinds)),
  ) as Document
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: `v${kubernetesVersion}` },
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, pathV2(item as Document)])),
    definitions: builder.definitions.all(),
    securityDefinitions: { BearerToken: bearerToken },
    security: [{ BearerToken: [] }],
  }
}

const bearerToken = {
  type: 'apiKey',
  name: 'authorization',
  in: 'header',
  description: 'Bearer Token authentication',
}

class Builder {
  readonly definitions: Definitions
  readonly #names = new Map<string, string>()

  constructor(dialect: Dialect) {
    this.definitions = new Definitions(dialect)
  }

  pathsFor(root: string, kinds: readonly Kind[]): Document {
    for (const kind of kinds) this.#addKind(kind)
    const named = (name: string): Document => {
      if (!this.definitions.has(name)) this.definitions.add(name, schemaOf(name), [])
      return this.definitions.refTo(name)
    }
    this.definitions.addDocument(`${meta}.Patch`, {
      description: 'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
      type: 'object',
    })
    return pathsOf({
      root,
      kinds,
      refTo: (kind) => this.#refTo(kind),
      refToStatus: named(`${meta}.Status`),
      refToPatch: this.definitions.refTo(`${meta}.Patch`),
      refToDeleteOptions: named(`${meta}.DeleteOptions`),
    })
  }

  #addKind(kind: Kind): void {
    const name = definitionName(kind, kind.schema)
    this.#names.set(keyOf(kind), name)
    this.definitions.add(name, kind.isCustom ? withMetadata(kind.schema) : kind.schema, [kind])
    if (!kind.verbs.includes('list')) return
    const listKind = { group: kind.group, version: kind.version, kind: kind.listKind }
    const list = schemaOfKind(listKind) ?? listSchema(kind, name)
    const listName = list.name ?? definitionName(listKind, list)
    this.#names.set(keyOf(listKind), listName)
    this.definitions.add(listName, list, [listKind])
  }

  #refTo(kind: GroupVersionKind): Document {
    const name = this.#names.get(keyOf(kind))
    if (name !== undefined) return this.definitions.refTo(name)
    const schema = schemaOfKind(kind)
    const made = schema?.name ?? definitionName(kind, schema)
    this.#names.set(keyOf(kind), made)
    this.definitions.add(made, schema ?? { type: 'object' }, [kind])
    return this.definitions.refTo(made)
  }
}

const keyOf = ({ group, version, kind }: GroupVersionKind): string =>
  `${apiVersionOf({ group, version })}/${kind}`

/** `io.k8s.api.apps.v1.Deployment`; a CRD's is made of its group turned round, `com.example.v1.Thing`. */
function definitionName({ group, version, kind }: GroupVersionKind, schema: Schema | undefined): string {
  return schema?.name ?? [...group.split('.').reverse(), version, kind].join('.')
}

// CRDs describe metadata in passing, if at all: it is always the whole of it.
function withMetadata(schema: Schema): Schema {
  const properties = new Map(schema.properties ?? [])
  const described = (name: string, node: Schema) => {
    const { description } = properties.get(name) ?? {}
    properties.set(name, description === undefined ? node : { ...node, description })
  }
  described('apiVersion', text)
  described('kind', text)
  described('metadata', schemaOf(`${meta}.ObjectMeta`))
  const { type = 'object' } = schema
  return { ...schema, type: type === 'any' ? 'object' : type, properties }
}

function listSchema({ kind, listKind }: Kind, itemName: string): Schema {
  return {
    type: 'object',
    description: `${listKind} is a list of ${kind}`,
    required: ['items'],
    properties: new Map<string, Schema>([
      ['apiVersion', text],
      ['items', { type: 'array', items: { type: 'object', name: itemName } }],
      ['kind', text],
      ['metadata', schemaOf(`${meta}.ListMeta`)],
    ]),
  }
}

function pathV2(item: Document): Document {
  const operations = Object.entries(item).filter(([method]) => method !== 'parameters')
  return Object.fromEntries(
    operations.map(([method, operation]) => [method, operationV2(operation as Document)]),
  )
}

function operationV2({ requestBody, responses, parameters = [], ...operation }: Document): Document {
  const body = requestBody as { content: Record<string, { schema: unknown }>; required?: boolean } | undefined
  const [media] = Object.values(body?.content ?? {})
  const asked = (parameters as readonly Document[]).map(({ schema, ...parameter }) => ({
    ...parameter,
    ...(schema as Document),
  }))
  const inBody =
    media === undefined
      ? []
      : [{ name: 'body', in: 'body', required: body?.required === true, schema: media.schema }]
  return {
    ...operation,
    ...(body === undefined ? {} : { consumes: Object.keys(body.content) }),
    produces: ['application/json', 'application/yaml'],
    schemes: ['https'],
    parameters: [...inBody, ...asked],
    responses: Object.fromEntries(
      Object.entries(
        responses as Record<string, { description: string; content?: Record<string, { schema: unknown }> }>,
      ).map(([code, { description, content }]) => {
        const schema = content?.['application/json']?.schema
        return [code, { description, ...(schema === undefined ? {} : { schema }) }]
      }),
    ),
  }
}
