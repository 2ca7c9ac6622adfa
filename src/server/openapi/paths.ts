// The paths of a group version: what kubectl reads to learn which parameters a PATCH takes and how kinds are reached.
// Schemas are schemas.ts's; only what clients look at is written, watch paths are left out.

import type { Kind, Subresource } from '../../kinds/kind.ts'
import type { GroupVersionKind } from './schemas.ts'

type Document = Record<string, unknown>

export interface PathsInput {
  /** `/api/v1`, `/apis/apps/v1`. */
  readonly root: string
  readonly kinds: readonly Kind[]
  /** `{ $ref }` to the definition of a kind. */
  readonly refTo: (kind: GroupVersionKind) => Document
  readonly refToStatus: Document
  readonly refToPatch: Document
  readonly refToDeleteOptions: Document
}

interface Operation {
  readonly method: 'delete' | 'get' | 'patch' | 'post' | 'put'
  readonly action: string
  readonly id: string
  readonly description: string
  readonly parameters: readonly string[]
  readonly body?: 'object' | 'patch' | 'delete-options' | undefined
  readonly answer: 'object' | 'list' | 'status'
}

// They answer no object, and whoever speaks them needs no document.
const conversations = ['attach', 'exec', 'portforward', 'proxy']

const listParameters = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
]
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation']
const patchParameters = [...writeParameters, 'force']
const deleteParameters = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']

export function pathsOf(input: PathsInput): Document {
  const paths: Document = {}
  for (const kind of input.kinds) {
    const base = kind.isNamespaced ? `${input.root}/namespaces/{namespace}` : input.root
    const collection = `${base}/${kind.plural}`
    add(paths, collection, operationsOf(input, kind, collectionOperations(kind)))
    add(paths, `${collection}/{name}`, operationsOf(input, kind, itemOperations(kind)))
    if (kind.isNamespaced && kind.verbs.includes('list')) {
      const everywhere = {
        ...listOperation(kind),
        id: `list${stem(kind, false)}${kind.kind}ForAllNamespaces`,
      }
      add(paths, `${input.root}/${kind.plural}`, operationsOf(input, kind, [everywhere]))
    }
    for (const subresource of kind.subresources) {
      if (conversations.includes(subresource.name)) continue
      const spoken = subresource.speaks ?? kind
      const operations = subresourceOperations(kind, subresource)
      add(paths, `${collection}/{name}/${subresource.name}`, operationsOf(input, kind, operations, spoken))
    }
  }
  return Object.fromEntries(Object.entries(paths).sort(([one], [other]) => (one < other ? -1 : 1)))
}

function add(paths: Document, path: string, operations: Document): void {
  if (Object.keys(operations).length > 0) paths[path] = { ...operations, parameters: pathParameters(path) }
}

function pathParameters(path: string): readonly Document[] {
  const names = ['name', 'namespace'].filter((name) => path.includes(`{${name}}`))
  return [
    ...names.map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', uniqueItems: true },
    })),
    { name: 'pretty', in: 'query', schema: { type: 'string', uniqueItems: true } },
  ]
}

function collectionOperations(kind: Kind): readonly Operation[] {
  const operations: Operation[] = []
  if (kind.verbs.includes('list')) operations.push(listOperation(kind))
  if (kind.verbs.includes('create')) {
    const id = `create${stem(kind)}${kind.kind}`
    const description = `create ${article(kind.kind)} ${kind.kind}`
    operations.push({
      method: 'post',
      action: 'post',
      id,
      description,
      parameters: writeParameters,
      body: 'object',
      answer: 'object',
    })
  }
  if (kind.verbs.includes('deletecollection')) {
    operations.push({
      method: 'delete',
      action: 'deletecollection',
      id: `delete${stem(kind, false)}Collection${kind.isNamespaced ? 'Namespaced' : ''}${kind.kind}`,
      description: `delete collection of ${kind.kind}`,
      parameters: [...new Set([...listParameters, ...deleteParameters])].filter(
        (name) => !/^(allowWatch|watch)/.test(name),
      ),
      body: 'delete-options',
      answer: 'status',
    })
  }
  return operations
}

function listOperation(kind: Kind): Operation {
  const id = `list${stem(kind)}${kind.kind}`
  const description = `list or watch objects of kind ${kind.kind}`
  return { method: 'get', action: 'list', id, description, parameters: listParameters, answer: 'list' }
}

function itemOperations(kind: Kind): readonly Operation[] {
  return itemMethods(kind, kind.verbs as readonly string[], '', 'the specified').concat(deleteOperation(kind))
}

function deleteOperation(kind: Kind): readonly Operation[] {
  if (!kind.verbs.includes('delete')) return []
  const id = `delete${stem(kind)}${kind.kind}`
  const description = `delete ${article(kind.kind)} ${kind.kind}`
  const parameters = deleteParameters
  return [
    {
      method: 'delete',
      action: 'delete',
      id,
      description,
      parameters,
      body: 'delete-options',
      answer: 'status',
    },
  ]
}

function subresourceOperations(kind: Kind, { name, verbs }: Subresource): readonly Operation[] {
  const suffix = name.charAt(0).toUpperCase() + name.slice(1)
  const operations = itemMethods(kind, verbs, suffix, `${name} of the specified`)
  if (!verbs.includes('create')) return operations
  const id = `create${stem(kind)}${kind.kind}${suffix}`
  const description = `create ${name} of ${article(kind.kind)} ${kind.kind}`
  return [
    ...operations,
    {
      method: 'post',
      action: 'post',
      id,
      description,
      parameters: writeParameters,
      body: 'object',
      answer: 'object',
    },
  ]
}

function itemMethods(kind: Kind, verbs: readonly string[], suffix: string, what: string): Operation[] {
  const ids = `${stem(kind)}${kind.kind}${suffix}`
  const all: readonly (Operation & { readonly verb: string })[] = [
    {
      verb: 'get',
      method: 'get',
      action: 'get',
      id: `read${ids}`,
      description: `read ${what} ${kind.kind}`,
      parameters: [],
      answer: 'object',
    },
    {
      verb: 'update',
      method: 'put',
      action: 'put',
      id: `replace${ids}`,
      description: `replace ${what} ${kind.kind}`,
      parameters: writeParameters,
      body: 'object',
      answer: 'object',
    },
    {
      verb: 'patch',
      method: 'patch',
      action: 'patch',
      id: `patch${ids}`,
      description: `partially update ${what} ${kind.kind}`,
      parameters: patchParameters,
      body: 'patch',
      answer: 'object',
    },
  ]
  return all.filter(({ verb }) => verbs.includes(verb))
}

function operationsOf(
  input: PathsInput,
  kind: Kind,
  operations: readonly Operation[],
  spoken: GroupVersionKind = kind,
): Document {
  return Object.fromEntries(
    operations.map((operation) => [operation.method, operationOf(input, { operation, kind, spoken })]),
  )
}

function operationOf(
  input: PathsInput,
  { operation, kind, spoken }: { operation: Operation; kind: Kind; spoken: GroupVersionKind },
): Document {
  const { action, id, description, parameters, body, answer } = operation
  const answered = { object: spoken, list: { ...kind, kind: kind.listKind }, status: undefined }[answer]
  const answerRef = answered === undefined ? input.refToStatus : input.refTo(answered)
  return {
    description,
    operationId: id,
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(queryParameter) }),
    ...(body === undefined
      ? {}
      : { requestBody: requestBody(input, { body, spoken, isCustom: kind.isCustom }) }),
    responses: {
      200: { description: 'OK', content: contentOf(['application/json', 'application/yaml'], answerRef) },
      401: { description: 'Unauthorized' },
    },
    tags: [tagOf(kind)],
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: spoken.group, kind: spoken.kind, version: spoken.version },
  }
}

function requestBody(
  input: PathsInput,
  {
    body,
    spoken,
    isCustom,
  }: { body: NonNullable<Operation['body']>; spoken: GroupVersionKind; isCustom: boolean },
): Document {
  if (body === 'object') return { content: contentOf(['*/*'], input.refTo(spoken)), required: true }
  if (body === 'delete-options') return { content: contentOf(['*/*'], input.refToDeleteOptions) }
  const patches = [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
  ]
  const all = isCustom ? patches : [...patches, 'application/strategic-merge-patch+json']
  return { content: contentOf(all, input.refToPatch), required: true }
}

const contentOf = (media: readonly string[], schema: Document): Document =>
  Object.fromEntries(media.map((one) => [one, { schema }]))

const parameterTypes: Readonly<Record<string, string>> = {
  allowWatchBookmarks: 'boolean',
  force: 'boolean',
  gracePeriodSeconds: 'integer',
  limit: 'integer',
  orphanDependents: 'boolean',
  sendInitialEvents: 'boolean',
  timeoutSeconds: 'integer',
  watch: 'boolean',
}

const queryParameter = (name: string): Document => ({
  name,
  in: 'query',
  schema: { type: parameterTypes[name] ?? 'string', uniqueItems: true },
})

/** `AppsV1Namespaced`, `CoreV1`: the middle of an operation's id. */
function stem({ group, version, isNamespaced }: Kind, withScope = true): string {
  return `${groupName(group)}${capital(version)}${withScope && isNamespaced ? 'Namespaced' : ''}`
}

const groupName = (group: string): string =>
  group === ''
    ? 'Core'
    : group
        .replace(/\.k8s\.io$/, '')
        .split(/[.-]/)
        .map(capital)
        .join('')

const tagOf = ({ group, version }: Kind): string => {
  const name = groupName(group)
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${version}`
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const article = (word: string): string => (/^[AEIOU]/.test(word) ? 'an' : 'a')
