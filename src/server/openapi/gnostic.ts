// OpenAPI version 2 as protobuf, the only form in which kubectl asks for it: for lists, for kinds it does not know,
// and wherever version 3 leaves it without an answer. What the document says is document.ts's.

type Value = unknown
type Members = Readonly<Record<string, Value>>
type Write = (value: Value) => readonly Buffer[]
interface Field {
  readonly number: number
  readonly write: (number: number, value: Value) => readonly Buffer[]
}
interface Message {
  readonly fields: Readonly<Record<string, Field>>
  /** The number of the repeated NamedAny that takes what begins with `x-`. */
  readonly extensions: number
}

/** The bytes of an `openapi.v2.Document`; members that the format has no place for are left out. */
export function gnosticDocument(document: object): Buffer {
  return Buffer.concat(written(documentMessage, document as Members))
}

const varintType = 0
const fixed64Type = 1
const bytesType = 2

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.from([...bytes, rest])
}

const key = (number: number, type: number): Buffer => varint(number * 8 + type)

function framed(number: number, parts: readonly Buffer[]): readonly Buffer[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return [key(number, bytesType), varint(length), ...parts]
}

const textBytes = (number: number, value: Value): readonly Buffer[] =>
  framed(number, [Buffer.from(String(value))])
const text = (number: number): Field => ({ number, write: textBytes })
const flag = (number: number): Field => ({
  number,
  write: (at, value) => (value === true ? [key(at, varintType), varint(1)] : []),
})
const count = (number: number): Field => ({
  number,
  write: (at, value) => [key(at, varintType), varint(Math.max(0, Number(value)))],
})
const real = (number: number): Field => ({
  number,
  write: (at, value) => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(Number(value))
    return [key(at, fixed64Type), bytes]
  },
})

// Any holds YAML text, and JSON is YAML.
const anyValue: Write = (value) => textBytes(2, JSON.stringify(value))
const nested = (number: number, write: Write): Field => ({
  number,
  write: (at, value) => framed(at, write(value)),
})
const any = (number: number): Field => nested(number, anyValue)
const each = ({ number, write }: Field): Field => ({
  number,
  write: (at, value) => (value as readonly Value[]).flatMap((one) => write(at, one)),
})
const message =
  (shape: () => Message): Write =>
  (value) =>
    written(shape(), value as Members)

/** A map as the format has it: entries of name (1) and value (2), repeated under one number. */
const entries =
  (number: number, write: Write): Write =>
  (value) =>
    Object.entries(value as Members).flatMap(([name, inner]) =>
      framed(number, [...textBytes(1, name), ...framed(2, write(inner))]),
    )

function written({ fields, extensions }: Message, members: Members): readonly Buffer[] {
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || value === null) continue
    const field = fields[name]
    if (field !== undefined) parts.push(...field.write(field.number, value))
    else if (name.startsWith('x-')) {
      parts.push(...framed(extensions, [...textBytes(1, name), ...framed(2, anyValue(value))]))
    }
  }
  return parts
}

/** What schemas, parameters and their items have alike, at the numbers that each of them gives these members. */
const limits = (first: number): Readonly<Record<string, Field>> => ({
  maximum: real(first),
  exclusiveMaximum: flag(first + 1),
  minimum: real(first + 2),
  exclusiveMinimum: flag(first + 3),
  maxLength: count(first + 4),
  minLength: count(first + 5),
  pattern: text(first + 6),
  maxItems: count(first + 7),
  minItems: count(first + 8),
  uniqueItems: flag(first + 9),
})

const writeSchema = message(() => schemaMessage)
const schemaMessage: Message = {
  fields: {
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: any(5),
    multipleOf: real(6),
    ...limits(7),
    maxProperties: count(17),
    minProperties: count(18),
    required: each(text(19)),
    enum: each(any(20)),
    additionalProperties: nested(21, (value) =>
      typeof value === 'boolean' ? flag(2).write(2, value) : framed(1, writeSchema(value)),
    ),
    type: nested(22, (value) => [value].flat().flatMap((one) => textBytes(1, one))),
    items: nested(23, (value) => framed(1, writeSchema(value))),
    allOf: each(nested(24, writeSchema)),
    properties: nested(25, entries(1, writeSchema)),
  },
  extensions: 31,
}

const bodyParameter: Message = {
  fields: {
    description: text(1),
    name: text(2),
    in: text(3),
    required: flag(4),
    schema: nested(5, writeSchema),
  },
  extensions: 6,
}

/** Path and header parameters; those of a query have one more member in the middle. */
const namedParameter = (afterName: number): Message => ({
  fields: {
    required: flag(1),
    in: text(2),
    description: text(3),
    name: text(4),
    type: text(afterName),
    format: text(afterName + 1),
    default: any(afterName + 4),
    ...limits(afterName + 5),
    enum: each(any(afterName + 15)),
  },
  extensions: afterName + 17,
})

const otherParameters: Readonly<Record<string, readonly [number, Message]>> = {
  header: [1, namedParameter(5)],
  query: [3, namedParameter(6)],
  path: [4, namedParameter(5)],
}

function writeParameter(value: Value): readonly Buffer[] {
  const parameter = value as Members
  if (parameter['in'] === 'body') return framed(1, framed(1, written(bodyParameter, parameter)))
  const [number, shape] = otherParameters[String(parameter['in'])] ?? [3, namedParameter(6)]
  return framed(1, framed(2, framed(number, written(shape, parameter))))
}

const responseMessage: Message = {
  fields: { description: text(1), schema: nested(2, (value) => framed(1, writeSchema(value))) },
  extensions: 5,
}

const operationMessage: Message = {
  fields: {
    tags: each(text(1)),
    summary: text(2),
    description: text(3),
    operationId: text(5),
    produces: each(text(6)),
    consumes: each(text(7)),
    parameters: each(nested(8, writeParameter)),
    responses: nested(
      9,
      entries(1, (value) => framed(1, written(responseMessage, value as Members))),
    ),
    schemes: each(text(10)),
    deprecated: flag(11),
  },
  extensions: 13,
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']
const pathMessage: Message = {
  fields: {
    ...Object.fromEntries(
      methods.map((method, at) => [
        method,
        nested(
          at + 2,
          message(() => operationMessage),
        ),
      ]),
    ),
    parameters: each(nested(9, writeParameter)),
  },
  extensions: 10,
}

const apiKey: Message = {
  fields: { type: text(1), name: text(2), in: text(3), description: text(4) },
  extensions: 5,
}

const documentMessage: Message = {
  fields: {
    swagger: text(1),
    info: nested(
      2,
      message(() => ({ fields: { title: text(1), version: text(2), description: text(3) }, extensions: 7 })),
    ),
    paths: nested(
      8,
      entries(
        2,
        message(() => pathMessage),
      ),
    ),
    definitions: nested(9, entries(1, writeSchema)),
    security: each(
      nested(
        12,
        entries(1, (scopes) => (scopes as readonly Value[]).flatMap((scope) => textBytes(1, scope))),
      ),
    ),
    securityDefinitions: nested(
      13,
      entries(1, (value) => framed(2, written(apiKey, value as Members))),
    ),
  },
  extensions: 16,
}
