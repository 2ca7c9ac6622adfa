// The one schema form: built-in kinds and CRDs describe their fields with it.
// Decoding, pruning, defaulting, validation, apply, strategic merge, protobuf and OpenAPI all walk these nodes.

import type { Json } from './object.ts'

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'any'

/**
 * Formats with a meaning of their own. `quantity`, `int-or-string`, `time`, `micro-time` and `duration` are the
 * special types of apimachinery; the rest are JSON Schema formats as a CRD may name them.
 */
export type SchemaFormat = string

/**
 * A node. Nodes may be recursive (JSONSchemaProps): `properties`, `items` and `additionalProperties` are getters on
 * nodes made from facts, so read them when needed and never walk a schema without an object beside it.
 */
export interface Schema {
  readonly type: SchemaType
  /** The OpenAPI definition name, for example `io.k8s.api.core.v1.Container`; only for named built-in types. */
  readonly name?: string | undefined
  readonly format?: SchemaFormat | undefined
  readonly description?: string | undefined
  readonly properties?: ReadonlyMap<string, Schema> | undefined
  readonly required?: readonly string[] | undefined
  /** The values of a map; a map has no `properties`. */
  readonly additionalProperties?: Schema | undefined
  readonly items?: Schema | undefined
  readonly listType?: 'atomic' | 'set' | 'map' | undefined
  readonly listMapKeys?: readonly string[] | undefined
  readonly mapType?: 'atomic' | 'granular' | undefined
  /** Go's struct tags, for strategic merge: `merge`, `replace`, `retainKeys` or `merge,retainKeys`. */
  readonly patchStrategy?: string | undefined
  readonly patchMergeKey?: string | undefined
  readonly enum?: readonly Json[] | undefined
  readonly default?: Json | undefined
  readonly nullable?: boolean | undefined
  /** `x-kubernetes-preserve-unknown-fields`: nothing below is pruned or called unknown. */
  readonly preserveUnknownFields?: boolean | undefined
  /** `x-kubernetes-embedded-resource`: has its own apiVersion, kind and metadata. */
  readonly embeddedResource?: boolean | undefined
  /** `x-kubernetes-int-or-string`. */
  readonly intOrString?: boolean | undefined
  /** The rest of a CRD's structural schema: limits, patterns, allOf and friends; absent on built-ins. */
  readonly constraints?: Constraints | undefined
  /** How protobuf writes this node as a field of its parent; absent on CRDs. */
  readonly proto?: ProtoField | undefined
  /** Structs that JSON merges into this node and protobuf keeps as messages, by their field numbers. */
  readonly protoInline?: readonly ProtoInline[] | undefined
}

export interface Constraints {
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  /** `x-kubernetes-validations`, kept as written. */
  readonly validations?: readonly Json[]
}

/**
 * Elements of a `list` and values of a `map` have a `proto` of their own. A `wrapper` is a list in JSON and a message
 * with one repeated field on the wire.
 */
export interface ProtoField {
  readonly number: number
  readonly kind: ProtoKind
  /** True when Go's field is a pointer: an explicit zero is kept. */
  readonly isPointer?: boolean
  /** True when Go's JSON leaves out a zero value (`omitempty`, or `omitzero` for structs). */
  readonly dropsZero?: boolean
}

export type ProtoKind =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'double'
  | 'message'
  | 'list'
  | 'map'
  | 'wrapper'
  | 'quantity'
  | 'time'
  | 'micro-time'
  | 'int-or-string'
  | 'raw-extension'
  | 'json'
  | 'schema-or-array'
  | 'schema-or-bool'
  | 'schema-or-strings'

export interface ProtoInline {
  readonly number: number
  readonly schema: Schema
}
