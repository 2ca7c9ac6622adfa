// Reads protobuf bodies straight into Kubernetes JSON, as Go would print the same object.
// Field numbers come with the Schema nodes; nothing here knows a kind, and nothing writes protobuf.

import { type KubeObject, parseApiVersion } from './object.ts'
import { Cursor, DecodeError, wireTypes } from './protobuf-cursor.ts'
import { jsonValue, microTimeText, timeText } from './protobuf-values.ts'
import type { ProtoField, ProtoKind, Schema } from './schema.ts'

export type SchemaLookup = (gvk: {
  readonly group: string
  readonly version: string
  readonly kind: string
}) => Schema | undefined

/** Every body starts with these bytes: `k8s` and a zero. */
export const protobufMagic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00)

/**
 * The object in a body of `application/vnd.kubernetes.protobuf`. The caller owns it. `lookup` is asked for the kind the
 * body names; a body may name none, then all three parts are empty and the answer is for the caller to choose.
 * Throws DecodeError for anything that is not such a body.
 */
export function decodeProtobuf(bytes: Uint8Array, lookup: SchemaLookup): KubeObject {
  return decodeEnvelope(new Cursor(bytes), bytes.length, lookup) as KubeObject
}

type Fields = Record<string, unknown>
/** Reads one value; the cursor stands behind the tag. */
type ReadValue = (cursor: Cursor, wire: number) => unknown
/** Reads one field into its object. */
type ReadField = (cursor: Cursor, wire: number, into: Fields) => void
/** Field readers at the index of their number. */
type Table = readonly (ReadField | undefined)[]

function decodeEnvelope(cursor: Cursor, end: number, lookup: SchemaLookup): Fields {
  if (!protobufMagic.every((byte) => cursor.at < end && cursor.byte() === byte)) {
    throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix k8s\\0')
  }
  const envelope = readTable(cursor, end, envelopeTable, {})
  const { typeMeta = {}, raw = emptyBytes, contentEncoding = '', contentType = '' } = envelope as Envelope
  if (contentEncoding !== '') throw new DecodeError(`content encoding ${contentEncoding} is not supported`)
  if (contentType !== '' && contentType !== 'application/vnd.kubernetes.protobuf') {
    throw new DecodeError(`content type ${contentType} is not supported inside a protobuf body`)
  }
  const { apiVersion = '', kind = '' } = typeMeta
  const schema = lookup({ ...parseApiVersion(apiVersion), kind })
  if (schema === undefined)
    throw new DecodeError(`no kind "${kind}" is registered for version "${apiVersion}"`)
  const object: Fields = {}
  if (apiVersion !== '') object['apiVersion'] = apiVersion
  if (kind !== '') object['kind'] = kind
  return readTable(cursor.over(raw), raw.length, tableOf(schema), object)
}

interface Envelope {
  readonly typeMeta?: { readonly apiVersion?: string; readonly kind?: string }
  readonly raw?: Uint8Array
  readonly contentEncoding?: string
  readonly contentType?: string
}

const emptyBytes = new Uint8Array(0)

function readTable(cursor: Cursor, end: number, table: Table, into: Fields): Fields {
  cursor.enter(end)
  while (cursor.at < end) {
    const tag = cursor.tag()
    const read = table[tag >>> 3]
    if (read === undefined) cursor.skip(tag & 7)
    else read(cursor, tag & 7, into)
  }
  cursor.leave(end)
  return into
}

function readMessage(cursor: Cursor, wire: number, table: Table, into: Fields): Fields {
  cursor.expect(wire, wireTypes.bytes)
  return readTable(cursor, cursor.end(), table, into)
}

// All nodes of one struct share their properties, which therefore key the cache.
const tables = new WeakMap<object, Table>()

function tableOf(schema: Schema): Table {
  const { properties } = schema
  if (properties === undefined) throw new DecodeError('this kind has no protobuf form')
  let table = tables.get(properties)
  if (table === undefined) {
    const made: (ReadField | undefined)[] = []
    for (const [name, node] of properties) {
      if (node.proto !== undefined) made[node.proto.number] = fieldReader(name, node, node.proto)
    }
    for (const { number, schema: inlined } of schema.protoInline ?? []) made[number] = inlineReader(inlined)
    table = made
    tables.set(properties, table)
  }
  return table
}

/** JSON merges an inlined struct into its parent. */
function inlineReader(schema: Schema): ReadField {
  return (cursor, wire, into) => {
    readMessage(cursor, wire, tableOf(schema), into)
  }
}

function fieldReader(name: string, schema: Schema, proto: ProtoField): ReadField {
  const dropsZero = proto.dropsZero === true && proto.isPointer !== true
  if (proto.kind === 'list') return listReader(name, itemsOf(schema))
  if (proto.kind === 'map') return mapReader(name, schema)
  if (proto.kind === 'message') return messageReader(name, schema, dropsZero)
  const read = valueReader(schema, proto.kind)
  if (!dropsZero) {
    return (cursor, wire, into) => {
      into[name] = read(cursor, wire)
    }
  }
  return (cursor, wire, into) => {
    const value = read(cursor, wire)
    if (!isZero(value)) into[name] = value
    else if (name in into) delete into[name]
  }
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || value === null
}

/** A message that comes in parts is merged, as protobuf asks. */
function messageReader(name: string, schema: Schema, dropsZero: boolean): ReadField {
  let table: Table | undefined
  return (cursor, wire, into) => {
    table ??= tableOf(schema)
    const value = readMessage(cursor, wire, table, (into[name] as Fields | undefined) ?? {})
    if (!dropsZero || Object.keys(value).length > 0) into[name] = value
  }
}

function listReader(name: string, items: Schema, kind = kindOf(items)): ReadField {
  const read = valueReader(items, kind)
  const packedWire = packedWires[kind]
  return (cursor, wire, into) => {
    const present = into[name] as unknown[] | undefined
    const list = present ?? []
    if (present === undefined) into[name] = list
    if (wire !== wireTypes.bytes || packedWire === undefined) {
      list.push(read(cursor, wire))
      return
    }
    const end = cursor.end()
    while (cursor.at < end) list.push(read(cursor, packedWire))
    if (cursor.at !== end) throw new DecodeError('a packed list ends in the middle of a number')
  }
}

const packedWires: { readonly [kind in ProtoKind]?: number } = {
  bool: wireTypes.varint,
  int32: wireTypes.varint,
  int64: wireTypes.varint,
  double: wireTypes.fixed64,
}

function mapReader(name: string, schema: Schema): ReadField {
  const values = schema.additionalProperties
  if (values === undefined) throw new Error(`${name} is a map without a schema for its values`)
  const kind = kindOf(values)
  const entry: Table = [undefined, field('key', readString), field('value', valueReader(values, kind))]
  const missing = zeroOf(kind)
  return (cursor, wire, into) => {
    const { key = '', value = missing() } = readMessage(cursor, wire, entry, {}) as {
      key?: string
      value?: unknown
    }
    const present = into[name] as Fields | undefined
    const map = present ?? {}
    if (present === undefined) into[name] = map
    if (key === '__proto__') Object.defineProperty(map, key, { value, ...ownProperty })
    else map[key] = value
  }
}

const ownProperty = { configurable: true, enumerable: true, writable: true }

function zeroOf(kind: ProtoKind): () => unknown {
  if (kind === 'message') return () => ({})
  if (kind === 'list' || kind === 'wrapper') return () => []
  if (kind === 'bool') return () => false
  if (kind === 'int32' || kind === 'int64' || kind === 'double' || kind === 'int-or-string') return () => 0
  if (kind === 'quantity') return () => '0'
  return kind === 'string' || kind === 'bytes' ? () => '' : () => null
}

function field(name: string, read: ReadValue): ReadField {
  return (cursor, wire, into) => {
    into[name] = read(cursor, wire)
  }
}

function itemsOf(schema: Schema): Schema {
  if (schema.items === undefined) throw new Error('a list without a schema for its items')
  return schema.items
}

function kindOf(schema: Schema): ProtoKind {
  if (schema.proto === undefined) throw new Error('a list or map whose elements have no protobuf form')
  return schema.proto.kind
}

function valueReader(schema: Schema, kind: ProtoKind): ReadValue {
  const plain = plainReaders[kind]
  if (plain !== undefined) return plain
  switch (kind) {
    case 'message':
      return nestedReader(schema)
    case 'wrapper':
      return converted([undefined, listReader('items', itemsOf(schema))], ({ items = [] }) => items)
    case 'schema-or-array':
      return eitherReader(schema, { schema: 1, list: 2 }, ({ schema: one = null, list }) => list ?? one)
    case 'schema-or-bool':
      return eitherReader(
        schema,
        { schema: 2, allows: 1 },
        ({ schema: one, allows = false }) => one ?? allows,
      )
    case 'schema-or-strings':
      return eitherReader(
        schema,
        { schema: 1, strings: 2 },
        ({ schema: one = null, strings }) => strings ?? one,
      )
    default:
      throw new Error(`${kind} is no kind of value`)
  }
}

function nestedReader(schema: Schema): ReadValue {
  let table: Table | undefined
  return (cursor, wire) => {
    table ??= tableOf(schema)
    return readMessage(cursor, wire, table, {})
  }
}

/** A message that is something else in JSON. */
function converted(table: Table, convert: (fields: Fields) => unknown): ReadValue {
  return (cursor, wire) => convert(readMessage(cursor, wire, table, {}))
}

/** The types of apiextensions that are a schema or something else. */
function eitherReader(
  { protoInline = [] }: Schema,
  numbers: { readonly [part in 'schema' | 'list' | 'allows' | 'strings']?: number },
  convert: (fields: Fields) => unknown,
): ReadValue {
  const inlined = protoInline[0]?.schema
  if (inlined === undefined) throw new Error('a schema-or-other without its schema')
  const table: (ReadField | undefined)[] = []
  if (numbers.schema !== undefined) table[numbers.schema] = field('schema', nestedReader(inlined))
  if (numbers.list !== undefined) table[numbers.list] = listReader('list', inlined, 'message')
  if (numbers.allows !== undefined) table[numbers.allows] = field('allows', readBool)
  if (numbers.strings !== undefined) table[numbers.strings] = listReader('strings', stringNode)
  return converted(table, convert)
}

const stringNode: Schema = { type: 'string', proto: { number: 2, kind: 'string' } }

function readString(cursor: Cursor, wire: number): string {
  cursor.expect(wire, wireTypes.bytes)
  return cursor.text()
}

function readBytes(cursor: Cursor, wire: number): Uint8Array {
  cursor.expect(wire, wireTypes.bytes)
  return cursor.slice()
}

function readBool(cursor: Cursor, wire: number): boolean {
  cursor.expect(wire, wireTypes.varint)
  return cursor.bool()
}

function readInt32(cursor: Cursor, wire: number): number {
  cursor.expect(wire, wireTypes.varint)
  return cursor.int32()
}

function readInt64(cursor: Cursor, wire: number): number {
  cursor.expect(wire, wireTypes.varint)
  return cursor.int64()
}

function readDouble(cursor: Cursor, wire: number): number {
  cursor.expect(wire, wireTypes.fixed64)
  return cursor.double()
}

const typeMetaTable: Table = [undefined, field('apiVersion', readString), field('kind', readString)]
const envelopeTable: Table = [
  undefined,
  field('typeMeta', (cursor, wire) => readMessage(cursor, wire, typeMetaTable, {})),
  field('raw', readBytes),
  field('contentEncoding', readString),
  field('contentType', readString),
]
const timestampTable: Table = [undefined, field('seconds', readInt64), field('nanos', readInt32)]
const rawTable: Table = [undefined, field('raw', readBytes)]
const readRaw = converted(rawTable, ({ raw = emptyBytes }) => jsonValue(raw as Uint8Array))

/** The kinds of value that are read alike wherever they stand. */
const plainReaders: { readonly [kind in ProtoKind]?: ReadValue } = {
  string: readString,
  bytes: (cursor, wire) => Buffer.from(readBytes(cursor, wire)).toString('base64'),
  bool: readBool,
  int32: readInt32,
  int64: readInt64,
  double: readDouble,
  quantity: converted([undefined, field('text', readString)], ({ text = '0' }) => text),
  time: converted(timestampTable, timeText),
  'micro-time': converted(timestampTable, microTimeText),
  'int-or-string': converted(
    [undefined, field('type', readInt32), field('number', readInt32), field('text', readString)],
    ({ type = 0, number = 0, text = '' }) => (type === 0 ? number : text),
  ),
  'raw-extension': readRaw,
  json: readRaw,
}
