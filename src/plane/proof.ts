// A plane for one proof: in memory, without a port, gone when the proof is.

import { findIn } from '../deploy/apply/served.ts'
import type { ProofPlane } from '../deploy/prove/prove.ts'
import { openPlane } from './plane.ts'

export async function bootProofPlane(): Promise<ProofPlane> {
  const plane = await openPlane()
  return {
    client: plane.clientFor(),
    findResource: findIn(plane.served),
    [Symbol.asyncDispose]: () => plane.close(),
  }
}
