// What stands in a release's root ConfigMap: what is wanted (written by deploy) and what has become of it (by the plane).
// The two never write each other's key.

export const pointerKey = 'pointer'
export const statusKey = 'status'
export const bootKey = 'start.mjs'

/** Bytes kept in Secrets of the release's namespace, in order. */
export interface Kept {
  readonly digest: string
  readonly secrets: readonly string[]
}

export interface PackagePointer extends Kept {
  readonly name: string
  readonly version: string
  /** Told here too, because sync must know it from its first look. */
  readonly expose: readonly Exposed[]
}

export interface Exposed {
  /** `namespace/name` in the plane. */
  readonly service: string
  readonly port: number
  /** What the host's Service is called. */
  readonly name: string
}

export interface Pointer {
  /** Grows with every change of what is wanted. */
  readonly generation: number
  readonly program: Kept
  /** Absent: an empty virtual cluster. */
  readonly package?: PackagePointer | undefined
}

export const phases = ['Applying', 'Waiting', 'Ready', 'Failed'] as const
export type Phase = (typeof phases)[number]

export interface ReleaseStatus {
  /** The pointer's generation that this is about. */
  readonly generation: number
  readonly phase: Phase
  readonly reason: string
  readonly message: string
  readonly package: string
  readonly version: string
  readonly objects: { readonly total: number; readonly ready: number }
  /** What is not ready, each with why; at most 20. */
  readonly notReady: readonly string[]
}

type Data = Readonly<Record<string, string>> | undefined

/** Undefined when there is none or it is not readable: then nothing is known. */
export const readPointer = (data: Data): Pointer | undefined => parse<Pointer>(data?.[pointerKey])
export const readStatus = (data: Data): ReleaseStatus | undefined => parse<ReleaseStatus>(data?.[statusKey])

function parse<T extends { readonly generation: number }>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as T
    return typeof value.generation === 'number' ? value : undefined
  } catch {
    return undefined
  }
}

/** The same wish keeps its generation, so that deploying twice changes nothing. */
export function nextPointer(old: Pointer | undefined, wanted: Omit<Pointer, 'generation'>): Pointer {
  const isSame =
    old !== undefined &&
    // Nothing was ever asked for: the deploy that made the root did not come to its end.
    old.generation > 0 &&
    old.program.digest === wanted.program.digest &&
    old.package?.digest === wanted.package?.digest
  return { generation: isSame ? old.generation : (old?.generation ?? 0) + 1, ...wanted }
}
