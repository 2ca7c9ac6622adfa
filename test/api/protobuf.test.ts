import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Json } from '../../src/api/object.ts'
import { decodeProtobuf } from '../../src/api/protobuf.ts'
import { DecodeError, depthMax, messagesMax } from '../../src/api/protobuf-cursor.ts'
import { schemaOfKind } from '../../src/kinds/facts/schema.ts'
import { goModule } from '../kinds/go-modules.ts'

// Written by Go's own serializer; `want` is what Go's JSON has for the same object.
const fixtures: readonly { readonly name: string; readonly hex: string; readonly want: Json }[] = [
  {
    name: 'a Pod: inlined structs, quantities, ports that may be names, pointers to zero, negative numbers',
    hex:
      '6b3873000a090a0276311203506f6412d1010a2f0a0377656212001a0022002a003200380042080880e2cfaa06100050005a040a001200' +
      '5a0a0a0361707012037765621288010a130a03746d70120c120a0a0012060a0436344d6912520a0377656212002a00320a0a0010001850' +
      '22002a00420052290a1412120a00120a080110001a04687474701a0022001000180020ffffffffffffffffff01280030006a0072008001' +
      '00880100900100a201001a00320042004a0052005800600068008201008a01009a0100a80100c201001a130a001a0022002a0032004a00' +
      '5a0072008801001a002200',
    want: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web',
        creationTimestamp: '2023-11-14T22:13:20Z',
        deletionGracePeriodSeconds: 0,
        labels: { '': '', app: 'web' },
      },
      spec: {
        automountServiceAccountToken: false,
        volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }],
        containers: [
          {
            name: 'web',
            ports: [{ containerPort: 80 }],
            resources: {},
            livenessProbe: { httpGet: { port: 'http' }, periodSeconds: -1 },
          },
        ],
      },
      status: {},
    },
  },
  {
    name: 'an Event: zero times are null, micro times have six digits, empty required fields are kept',
    hex:
      '6b3873000a0b0a02763112054576656e74124b0a110a016512001a0022002a00320038004200120e0a0012001a0022002a0032003a001a' +
      '03c3847222002a040a00120032003a0040004a00520b0880e2cfaa06108094ef3a620072007a001a002200',
    want: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject: {},
      reason: 'Är',
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: '2023-11-14T22:13:20.123456Z',
      reportingComponent: '',
      reportingInstance: '',
    },
  },
  {
    name: 'DeleteOptions under the group they are sent to',
    hex: '6b3873000a180a07617070732f7631120d44656c6574654f7074696f6e731212080012020a00220a466f726567726f756e641a002200',
    want: {
      apiVersion: 'apps/v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: '' },
      propagationPolicy: 'Foreground',
    },
  },
  {
    name: 'a TokenReview: a map of lists that are messages on the wire',
    hex:
      '6b3873000a270a1861757468656e7469636174696f6e2e6b38732e696f2f7631120b546f6b656e52657669657712300a100a0012001a00' +
      '22002a0032003800420012020a001a18080112120a01751200220b0a016b12060a01610a01621a001a002200',
    want: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: {},
      status: { authenticated: true, user: { username: 'u', extra: { k: ['a', 'b'] } } },
    },
  },
  {
    name: 'a SecretList: items without a kind, bytes as base64',
    hex:
      '6b3873000a100a027631120a5365637265744c69737412270a060a0012001a00121d0a100a0012001a0022002a0032003800420012070a' +
      '016b1202ff001a001a002200',
    want: {
      apiVersion: 'v1',
      kind: 'SecretList',
      metadata: {},
      items: [{ metadata: {}, data: { k: '/wA=' } }],
    },
  },
  {
    name: 'a CustomResourceDefinition: schemas that may be a list or a boolean, raw JSON, doubles',
    hex:
      '6b3873000a330a17617069657874656e73696f6e732e6b38732e696f2f76311218437573746f6d5265736f75726365446566696e697469' +
      '6f6e12ab010a100a0012001a0022002a003200380042001288010a001a080a00120022002a0022003a760a02763110001800226a0a680a' +
      '00120022002a066f626a65637432003a00420b0a097b2261223a312e357d500059000000000000e03f60007a00900100c201260a240a00' +
      '120022002a06737472696e6732003a00500060007a00900100a80200b80200c00200f201020801a80200b80200c00200380050001a0c12' +
      '080a00120022002a0020001a002200',
    want: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {},
      spec: {
        group: '',
        names: { plural: '', kind: '' },
        scope: '',
        versions: [
          {
            name: 'v1',
            served: false,
            storage: false,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                default: { a: 1.5 },
                minimum: 0.5,
                items: { type: 'string' },
                additionalProperties: true,
              },
            },
          },
        ],
      },
      // Go prints `conditions: null` and `storedVersions: null` too: lists without elements are not on the wire.
      status: { acceptedNames: { plural: '', kind: '' } },
    },
  },
]

for (const { name, hex, want } of fixtures) {
  t.test(`decodeProtobuf() reads ${name}`, async (t) => {
    t.strictSame(decodeProtobuf(Buffer.from(hex, 'hex'), schemaOfKind), want)
  })
}

t.test('decodeProtobuf() reads upstream’s goldens as Go does', async (t) => {
  for (const [module, folder] of [
    ['k8s.io/api', 'testdata/HEAD'],
    ['k8s.io/apiextensions-apiserver', 'pkg/apis/testdata/HEAD'],
  ] as const) {
    const found = goModule(module)
    if ('reason' in found) {
      t.comment(`${module}: skipped, ${found.reason}`)
      continue
    }
    const goldens = readdirSync(join(found.folder, folder)).filter((file) => file.endsWith('.pb'))
    const read = goldens.filter((file) => compareGolden(t, join(found.folder, folder, file)))
    t.equal(
      read.length,
      module === 'k8s.io/api' ? 122 : 2,
      `all goldens of kinds that 1.36 has, of ${module}`,
    )
  }
})

/** False for kinds that were removed before 1.36, and the two that only a server sends. */
function compareGolden(t: Test, path: string): boolean {
  // Go registers WatchEvent for the wire under no kind.
  const schema = path.endsWith('core.v1.WatchEvent.pb') ? watchEvent : schemaOfGolden(path)
  if (schema === undefined) return false
  const want = JSON.parse(readFileSync(path.replace(/pb$/, 'json'), 'utf8'))
  t.strictSame(
    decodeProtobuf(readFileSync(path), () => schema),
    want,
    basename(path),
  )
  return true
}

const watchEvent = schemaOfKind({ group: '', version: 'v1', kind: 'WatchEvent' })

function schemaOfGolden(path: string): ReturnType<typeof schemaOfKind> {
  const parts = /([^/]+)\.([^.]+)\.([^.]+)\.pb$/.exec(path)
  const [, group = '', version = '', kind = ''] = parts ?? []
  return schemaOfKind({ group: group === 'core' ? '' : group, version, kind })
}

const magic = '6b387300'
const configMap = `${magic}0a0f0a0276311209${Buffer.from('ConfigMap').toString('hex')}`

const refused: readonly { readonly name: string; readonly hex: string; readonly message: RegExp }[] = [
  { name: 'an empty body', hex: '', message: /does not appear to be a protobuf message/ },
  { name: 'JSON', hex: '7b7d7b7d', message: /does not appear to be a protobuf message/ },
  {
    name: 'a kind that is not known',
    hex: `${magic}0a090a0276311203466f6f`,
    message: /no kind "Foo" .* "v1"/,
  },
  { name: 'an encoded body', hex: `${magic}1a04677a6970`, message: /content encoding gzip/ },
  { name: 'a body of another type', hex: `${magic}220461626364`, message: /content type abcd/ },
  { name: 'a length past the end', hex: `${configMap}127f0a00`, message: /ends too early/ },
  { name: 'a number without an end', hex: inConfigMap('0a8080'), message: /ends too early/ },
  {
    name: 'a number of more than 64 bits',
    hex: inConfigMap(`0a${'ff'.repeat(11)}`),
    message: /longer than 64/,
  },
  {
    name: 'a message in the middle of a field',
    hex: inConfigMap('0a030a05'),
    message: /ends too early/,
  },
  {
    name: 'text that reaches out of its message',
    hex: inConfigMap('0a040a056161 616161'),
    message: /past the end/,
  },
  {
    name: 'a field of the wrong wire type',
    hex: inConfigMap('0801'),
    message: /wire type 0 where 2 belongs/,
  },
  { name: 'field number zero', hex: inConfigMap('0201'), message: /illegal field number/ },
  { name: 'a group', hex: inConfigMap('7b7c'), message: /wire type 3/ },
]

for (const { name, hex, message } of refused) {
  t.test(`decodeProtobuf() refuses ${name}`, async (t) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    const error = failure(() => decodeProtobuf(bytes, schemaOfKind))
    t.ok(error instanceof DecodeError)
    t.match(error, { message })
  })
}

t.test('decodeProtobuf() skips fields it does not know, of every wire type', async (t) => {
  const unknown = 'f83f01 f93f0000000000000000 fa3f0161 fd3f00000000'
  t.strictSame(decodeProtobuf(bytesOf(inConfigMap(`0a030a0161 ${unknown}`)), schemaOfKind), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
  })
})

t.test('decodeProtobuf() merges a message that comes in two parts', async (t) => {
  t.strictSame(decodeProtobuf(bytesOf(inConfigMap('0a030a0161 0a031a0162')), schemaOfKind).metadata, {
    name: 'a',
    namespace: 'b',
  })
})

t.test('decodeProtobuf() keeps a map key that is called __proto__', async (t) => {
  const key = Buffer.from('__proto__').toString('hex')
  const { data } = decodeProtobuf(bytesOf(inConfigMap(`120e 0a09${key} 120178`)), schemaOfKind)
  t.strictSame(JSON.stringify(data), '{"__proto__":"x"}')
})

t.test('decodeProtobuf() reads packed and unpacked lists of numbers', async (t) => {
  const items = { type: 'integer', proto: { number: 1, kind: 'int32' } } as const
  const list = { type: 'array', items, proto: { number: 1, kind: 'list' } } as const
  const schema = { type: 'object', properties: new Map([['ids', list]]) } as const
  const body = bytesOf(`${magic} 1207 0801 0a0302ff01`)
  t.strictSame(
    decodeProtobuf(body, () => schema),
    { ids: [1, 2, 255] } as unknown,
  )
})

t.test('decodeProtobuf() refuses a number that JSON would change', async (t) => {
  const at = { type: 'integer', proto: { number: 1, kind: 'int64' } } as const
  const schema = { type: 'object', properties: new Map([['at', at]]) } as const
  const read = (varint: string) =>
    decodeProtobuf(bytesOf(`${magic} 12${length(`08${varint}`)} 08${varint}`), () => schema)
  t.strictSame(read('ffffffffffffff0f'), { at: Number.MAX_SAFE_INTEGER } as unknown)
  t.strictSame(read('ffffffffffffffffff01'), { at: -1 } as unknown)
  t.throws(() => read('8080808080808010'), { message: /too large for JSON/ })
})

t.test('decodeProtobuf() bounds how deep messages nest', async (t) => {
  t.throws(() => decodeProtobuf(nested(depthMax), schemaOfKind), { message: /inside each other/ })
  t.doesNotThrow(() => decodeProtobuf(nested(depthMax - 10), schemaOfKind))
})

t.test('decodeProtobuf() bounds how many messages there are', async (t) => {
  const list = { group: '', version: 'v1', kind: 'ConfigMapList' }
  const items = Buffer.from('1200'.repeat(messagesMax), 'hex')
  t.throws(() => decodeProtobuf(envelope(items), () => schemaOfKind(list)), {
    message: /more than 500000 messages/,
  })
})

/** A CustomResourceDefinition's `not: {not: …}`, `depth` messages deep. */
function nested(depth: number): Uint8Array {
  let raw: Uint8Array = Buffer.alloc(0)
  for (let level = 0; level < depth; level += 1)
    raw = Buffer.concat([Buffer.from('e201', 'hex'), varint(raw.length), raw])
  for (const tag of ['0a', '22', '3a', '12'])
    raw = Buffer.concat([Buffer.from(tag, 'hex'), varint(raw.length), raw])
  const kind = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' }
  const meta = Buffer.concat([text('0a', `${kind.group}/${kind.version}`), text('12', kind.kind)])
  return Buffer.concat([Buffer.from(magic, 'hex'), tagged('0a', meta), tagged('12', raw)])
}

function envelope(raw: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(magic, 'hex'), tagged('12', raw)])
}

function tagged(tag: string, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(tag, 'hex'), varint(bytes.length), bytes])
}

function text(tag: string, value: string): Uint8Array {
  return tagged(tag, Buffer.from(value))
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Uint8Array.from([...bytes, rest])
}

/** A ConfigMap whose fields are given in hex. */
function inConfigMap(hex: string): string {
  const raw = hex.replaceAll(' ', '')
  return `${configMap}12${length(raw)}${raw}`
}

function length(hex: string): string {
  return (hex.length / 2).toString(16).padStart(2, '0')
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

function failure(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}
