// What goes into the sandbox and what comes out: JSON on standard input, JSON on standard output, one each.
// Both sides import this file; it holds types only.

export interface CheckRequest {
  readonly operation: 'check'
  /** A JSON Schema: draft 2020-12 unless its `$schema` says draft-07. */
  readonly schema: unknown
  readonly data: unknown
}

export interface SchemaFault {
  /** JSON pointer to the value. */
  readonly pointer: string
  readonly keyword: string
  readonly message: string
  readonly params: Readonly<Record<string, unknown>>
}

export interface RenderRequest {
  readonly operation: 'render'
  readonly templates: readonly { readonly file: string; readonly text: string }[]
  readonly values: unknown
  /** What `@package` is in a template. */
  readonly about: { readonly name: string; readonly version: string }
  /** Stands in every placeholder; nobody who wrote the template knows it. */
  readonly nonce: string
}

/** What a template printed, and which value stands behind each placeholder in it. */
export interface Rendered {
  readonly file: string
  readonly text: string
  readonly values: readonly { readonly name: string; readonly line: number; readonly value: unknown }[]
}

export type SandboxRequest = CheckRequest | RenderRequest

export type SandboxAnswer =
  | { readonly ok: true; readonly faults: readonly SchemaFault[] }
  | { readonly ok: true; readonly rendered: readonly Rendered[] }
  | {
      readonly ok: false
      readonly file: string
      readonly line?: number | undefined
      readonly message: string
    }

export const placeholderOf = (nonce: string, index: number): string => `k3vValue${nonce}N${index}E`
