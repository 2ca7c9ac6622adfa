// A plane for one proof: in memory, without a port, gone when the proof is.

import { findIn } from '../deploy/apply/served.ts'
import type { ProofPlane } from '../deploy/prove/prove.ts'
import { openPlane } from './plane.ts'

/** Nothing of the package runs, and nothing outside is asked: webhooks are not called. */
export async function bootProofPlane(): Promise<ProofPlane> {
  const plane = await openPlane({ egress: { isUnanswered: true } })
  return {
    client: plane.clientFor(),
    findResource: findIn(plane.served),
    [Symbol.asyncDispose]: () => plane.close(),
  }
}
