// Proves a package before it ships: boots a plane, applies everything there as the real one will, and looks whether it
// becomes ready. Real API, real controllers; only pods are played (simulate.ts).

import type { KubeObject } from '../../api/object.ts'
import type { Client } from '../../client/client.ts'
import type { Problem } from '../../packages/failure.ts'
import type { ProofReport, ProofRequest, Prove } from '../../packages/proof.ts'
import type { RenderedObject } from '../../packages/render/objects.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { type Logger, silentLogger } from '../../platform/log.ts'
import { type ApplyProgress, applyAll, describePending } from '../apply/apply.ts'
import { identityOf, keyOf, type ObjectKey } from '../apply/inventory.ts'
import type { FindResource } from '../apply/served.ts'
import { waitUntilCurrent } from '../apply/wait.ts'
import { numberAt } from '../status/fields.ts'
import { startSimulator } from './simulate.ts'
import { isCalledOut, listUnproved } from './unproved.ts'

/** A plane that lives for one proof. */
export interface ProofPlane extends AsyncDisposable {
  /** An administrator. */
  readonly client: Client
  readonly findResource: FindResource
}

export type BootPlane = () => Promise<ProofPlane>

export interface ProofOptions {
  readonly bootPlane: BootPlane
  readonly clock?: Clock | undefined
  readonly log?: Logger | undefined
  /** For applying and for becoming ready, each. */
  readonly timeoutMs?: number | undefined
  /** Everything runs in this process: what does not move for so long has stopped. */
  readonly stalledAfterMs?: number | undefined
  readonly onProgress?: ((progress: ApplyProgress) => void) | undefined
}

const release = 'proof'
const minReadyMsMax = 300_000

export function createProof(options: ProofOptions): Prove {
  return (request) => prove(request, options)
}

async function prove(request: ProofRequest, options: ProofOptions): Promise<ProofReport> {
  const { clock = systemClock, log = silentLogger, timeoutMs = 30_000, onProgress } = options
  const { stalledAfterMs = 5_000 } = options
  const { health, signal = new AbortController().signal } = request
  const objects = request.objects.map(({ object }) => object)
  await using plane = await options.bootPlane()
  const { client, findResource } = plane
  await using _simulator = await startSimulator({ client, clock, log })
  const applying = { client, findResource, objects, release, fieldManager: 'k3v', isTrial: isCalledOut }
  const { applied, refused } = await applyAll({ ...applying, clock, signal, timeoutMs, onProgress })
  const report = { accepted: applied.length, unproved: listUnproved({ objects, health }) }
  const problem = problemMaker(request.objects)
  if (refused.length > 0) {
    return {
      ...report,
      refused: refused.map(({ key, message, field }) => problem(key, message, field)),
      notReady: [],
    }
  }
  const settleMs = minReadyMs(objects)
  const tried = new Set(objects.filter(isCalledOut).map((object) => identityOf(keyOf(object))))
  const notReady = await waitUntilCurrent({
    client,
    findResource,
    keys: applied.filter((key) => !tried.has(identityOf(key))),
    timeoutMs: timeoutMs + settleMs,
    stalledAfterMs: stalledAfterMs + settleMs,
    clock,
    signal,
    onProgress: (done, pending) =>
      onProgress?.({ phase: 'wait', done, total: applied.length, waitingFor: pending.map(describePending) }),
  })
  const stuck = notReady.map((pending) =>
    problem(pending.key, `does not become ready: ${describePending(pending)}`),
  )
  return { ...report, refused: [], notReady: stuck }
}

/** How long pods must have been ready to count: nothing changes for that long, and all is well. */
function minReadyMs(objects: readonly KubeObject[]): number {
  const seconds = objects.map((object) => numberAt(object, 'spec', 'minReadySeconds') ?? 0)
  return Math.min(Math.max(0, ...seconds) * 1_000, minReadyMsMax)
}

/** Where in the package an object stands; the document is named when its file holds several. */
function problemMaker(
  objects: readonly RenderedObject[],
): (key: ObjectKey, message: string, field?: string) => Problem {
  const origins = new Map(objects.map(({ object, origin }) => [identityOf(keyOf(object)), origin]))
  const counts = Map.groupBy(objects, ({ origin }) => origin.file)
  return (key, message, field) => {
    const origin = origins.get(identityOf(key))
    const file = origin?.file ?? key.kind
    const isOneOfMany = (counts.get(file)?.length ?? 0) > 1
    return { file, message, field, ...(isOneOfMany ? { document: origin?.document } : {}) }
  }
}
