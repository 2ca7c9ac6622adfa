// The release that a plane in a pod runs: follows the pointer in the root ConfigMap, applies the package, tells how it is.
// Level-based: what was interrupted is begun again from what is wanted now. Applying itself is deploy/'s.

import type { ConfigMap, Secret } from '../api/models.ts'
import type { Client } from '../client/client.ts'
import { createInformer, type Informer } from '../client/informer.ts'
import { configMaps, secrets } from '../client/resources.ts'
import { type ApplyProgress, applyPackage, describePending } from '../deploy/apply/apply.ts'
import { configMapInventory, describeKey, type ObjectKey } from '../deploy/apply/inventory.ts'
import type { FindResource } from '../deploy/apply/served.ts'
import { waitUntilCurrent } from '../deploy/apply/wait.ts'
import { type Payload, unpackPayload } from '../deploy/payload.ts'
import { fromSecrets } from '../deploy/pieces.ts'
import {
  type Exposed,
  type PackagePointer,
  type Phase,
  type Pointer,
  type ReleaseStatus,
  readPointer,
} from '../deploy/pointer.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import { ReleaseReport } from './release-report.ts'

export interface ReleaseLoopOptions {
  /** An administrator of the plane. */
  readonly virtual: Client
  readonly findResource: FindResource
  readonly host: Client
  readonly hostNamespace: string
  /** The root ConfigMap's name. */
  readonly root: string
  readonly release: string
  /** Told what the package exposes, before it is applied. */
  readonly onExpose?: ((exposed: readonly Exposed[]) => void) | undefined
  /** What runs here; a pointer to another program is left to the pod that will run that. */
  readonly programDigest?: string | undefined
  /** How often what is ready is looked at again. */
  readonly lookAgainMs?: number | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** Starts at once. Disposing ends what is under way; the next start begins it again. */
export function startReleaseLoop(options: ReleaseLoopOptions): AsyncDisposable {
  return new ReleaseLoop(options)
}

const retryMs = 15_000
const defaultLookAgainMs = 10_000

class ReleaseLoop implements AsyncDisposable {
  readonly #options: ReleaseLoopOptions
  readonly #root: Informer<ConfigMap>
  readonly #report: ReleaseReport
  readonly #stopping = new AbortController()
  /** Aborted when something else is wanted. */
  #current = new AbortController()
  #wanted: Pointer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: ReleaseLoopOptions) {
    this.#options = options
    this.#report = new ReleaseReport(options)
    const { host: client, hostNamespace: namespace, root, clock, log } = options
    const fieldSelector = `metadata.name=${root}`
    this.#root = createInformer({ client, resource: configMaps, namespace, fieldSelector, clock, log })
    this.#root.on(({ current }) => {
      // A root that is gone says that the release is being deleted: nothing is done, least of all removed.
      if (current !== undefined) this.#want(readPointer(current.object.data))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the release loop is stopped'))
    this.#current.abort(this.#stopping.signal.reason)
    await this.#root[Symbol.asyncDispose]()
    await this.#running
  }

  #want(pointer: Pointer | undefined): void {
    if (pointer === undefined || pointer.generation === 0 || this.#stopping.signal.aborted) return
    if (pointer.generation === this.#wanted?.generation) return
    const { programDigest } = this.#options
    if (programDigest !== undefined && programDigest !== pointer.program.digest) return
    this.#wanted = pointer
    this.#current.abort(new Error('another version is wanted'))
    const current = new AbortController()
    this.#current = current
    this.#running = this.#running.then(() => this.#keep(pointer, current.signal))
  }

  /** Until something else is wanted. Never rejects. */
  async #keep(pointer: Pointer, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      try {
        await this.#bring(pointer, signal)
      } catch (error) {
        if (signal.aborted) return
        const message = error instanceof Error ? error.message : String(error)
        log.error('the release could not be applied; trying again', { message })
        await this.#tell(pointer, { phase: 'Failed', reason: 'CannotApply', message })
      }
      await clock.sleep(retryMs, { signal }).catch(() => undefined)
    }
  }

  /** Returns when it has to be tried again. */
  async #bring(pointer: Pointer, signal: AbortSignal): Promise<void> {
    if (pointer.package === undefined) {
      await this.#tell(pointer, { phase: 'Ready', reason: 'Empty', message: 'the virtual cluster is ready' })
      await untilAborted(signal)
      return
    }
    const { virtual: client, findResource, release, clock, log } = this.#options
    const payload = await this.#payload(pointer.package, signal)
    this.#options.onExpose?.(payload.expose ?? [])
    await this.#report.declare(pointer.package, pointer.generation)
    const report = await applyPackage({
      client,
      findResource,
      objects: payload.objects,
      release,
      inventory: configMapInventory(client, release),
      signal,
      clock,
      log,
      onProgress: (progress) => this.#report.progress(statusOf(pointer, progressNews(progress))),
    })
    const total = payload.objects.length
    if (report.state === 'refused') {
      const refused = report.refused.map(({ key, message }) => `${describeKey(key)}: ${message}`)
      const message = `the API refuses ${refused.length} of ${total} objects`
      await this.#tell(pointer, { phase: 'Failed', reason: 'Refused', message, total, notReady: refused })
      return
    }
    if (report.state === 'not-ready') {
      const notReady = report.notReady.map(describePending)
      const message = `not ready in time: ${notReady.length} of ${total} objects`
      await this.#tell(pointer, {
        phase: 'Waiting',
        reason: 'NotReady',
        message,
        total,
        ready: total - notReady.length,
        notReady,
      })
      return
    }
    await this.#watchOver(pointer, report.applied, signal)
  }

  /** What became ready may cease to be; told, and left to those whose work it is. */
  async #watchOver(pointer: Pointer, keys: readonly ObjectKey[], signal: AbortSignal): Promise<void> {
    const { virtual: client, findResource, clock, lookAgainMs = defaultLookAgainMs } = this.#options
    const total = keys.length
    const { name = '', version = '' } = pointer.package ?? {}
    while (!signal.aborted) {
      const pending = await waitUntilCurrent({ client, findResource, keys, timeoutMs: 0, clock, signal })
      const notReady = pending.map(describePending)
      const ready = total - notReady.length
      await this.#tell(
        pointer,
        notReady.length === 0
          ? { phase: 'Ready', reason: 'Ready', message: `${name} ${version} is ready`, total, ready }
          : {
              phase: 'Waiting',
              reason: 'Degraded',
              message: `${name} ${version} was ready and is not`,
              total,
              ready,
              notReady,
            },
      )
      await clock.sleep(lookAgainMs, { signal }).catch(() => undefined)
    }
  }

  async #payload({ secrets: names, digest }: PackagePointer, signal: AbortSignal): Promise<Payload> {
    const { host, hostNamespace: namespace } = this.#options
    const found: Secret[] = []
    for (const name of names) {
      const secret = await host.get(secrets, { namespace, name }, { signal })
      if (secret === undefined) throw new Error(`Secret ${name} with a piece of the package is missing`)
      found.push(secret)
    }
    return unpackPayload(fromSecrets(found, digest))
  }

  async #tell(pointer: Pointer, news: News): Promise<void> {
    await this.#report.tell(statusOf(pointer, news))
  }
}

interface News {
  readonly phase: Phase
  readonly reason: string
  readonly message: string
  readonly total?: number
  readonly ready?: number
  readonly notReady?: readonly string[]
}

const toldMax = 20

function statusOf(
  pointer: Pointer,
  { phase, reason, message, total = 0, ready = 0, notReady = [] }: News,
): ReleaseStatus {
  return {
    generation: pointer.generation,
    phase,
    reason,
    message,
    package: pointer.package?.name ?? '',
    version: pointer.package?.version ?? '',
    objects: { total, ready },
    notReady: notReady.slice(0, toldMax),
  }
}

function progressNews({ phase, done, total, waitingFor }: ApplyProgress): News {
  const notReady = waitingFor
  if (phase === 'apply')
    return { phase: 'Applying', reason: 'Applying', message: 'applying the package', total, notReady }
  if (phase === 'wait')
    return {
      phase: 'Waiting',
      reason: 'Progressing',
      message: 'waiting for the package to be ready',
      total,
      ready: done,
      notReady,
    }
  return {
    phase: 'Waiting',
    reason: 'Pruning',
    message: 'removing what the package no longer has',
    total,
    ready: total,
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
