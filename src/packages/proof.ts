// What a proof says of a package. Made by deploy/prove.ts, which boots a plane; kept in the lock.

import type { Problem } from './failure.ts'
import type { HealthRule } from './manifest/manifest.ts'
import type { RenderedObject } from './render/objects.ts'

export interface ProofRequest {
  readonly objects: readonly RenderedObject[]
  readonly health: readonly HealthRule[]
  readonly signal?: AbortSignal | undefined
}

/** A proof that ended: refusals are problems, not errors. An error thrown means that nothing was found out. */
export interface ProofReport {
  /** How many objects a real API server took. */
  readonly accepted: number
  /** Objects that were refused, in the API's own words. The package is refused if there is one. */
  readonly refused: readonly Problem[]
  /** Objects that were taken and did not become ready, with the reason. The package is refused if there is one. */
  readonly notReady: readonly Problem[]
  /** What nobody can know before the package runs. */
  readonly unproved: readonly string[]
}

export type Prove = (request: ProofRequest) => Promise<ProofReport>
