// Tells how a release is, in two places: its Release object in the plane, and the root ConfigMap for who deployed it.
// Progress comes often and is written at most twice a second; a result is written always.

import type { KubeObject } from '../api/object.ts'
import type { AnyObject, Client, ResourceRef } from '../client/client.ts'
import { configMaps } from '../client/resources.ts'
import { type PackagePointer, type ReleaseStatus, statusKey } from '../deploy/pointer.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'

export const releases: ResourceRef<AnyObject> = {
  group: 'k3v.dev',
  version: 'v1',
  resource: 'releases',
  isNamespaced: false,
}

export interface ReleaseReportOptions {
  readonly virtual: Client
  readonly host: Client
  readonly hostNamespace: string
  readonly root: string
  readonly release: string
  readonly clock: Clock
  readonly log: Logger
}

const fieldManager = 'k3v-plane'
const progressEveryMs = 500

export class ReleaseReport {
  readonly #options: ReleaseReportOptions
  #writing: Promise<void> = Promise.resolve()
  #lastMs = Number.NEGATIVE_INFINITY
  #lastText = ''

  constructor(options: ReleaseReportOptions) {
    this.#options = options
  }

  /** Makes the Release object say what is wanted. */
  async declare({ name, version, digest }: PackagePointer, generation: number): Promise<void> {
    const { virtual, release } = this.#options
    const wanted: KubeObject = {
      apiVersion: 'k3v.dev/v1',
      kind: 'Release',
      metadata: { name: release },
      spec: { package: name, version, digest: `sha256:${digest}`, generation },
    }
    await virtual.apply(releases, wanted, { fieldManager, force: true })
  }

  progress(status: ReleaseStatus): void {
    const { clock } = this.#options
    if (clock.monotonic() - this.#lastMs < progressEveryMs) return
    this.#lastMs = clock.monotonic()
    void this.tell(status)
  }

  /** Never rejects: a host that is away hears of it next time. In order, one at a time. */
  tell(status: ReleaseStatus): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(status))
    return this.#writing
  }

  async #write(status: ReleaseStatus): Promise<void> {
    const { host, hostNamespace: namespace, root: name, log } = this.#options
    const text = JSON.stringify(status)
    if (text === this.#lastText) return
    try {
      if (status.package !== '') await this.#writeObject(status)
      const body = { data: { [statusKey]: text } }
      await host.patch(configMaps, { namespace, name }, { type: 'merge', body, fieldManager })
      this.#lastText = text
    } catch (error) {
      log.warn('the release’s status could not be written', { error })
    }
  }

  async #writeObject(status: ReleaseStatus): Promise<void> {
    const { virtual, release, clock } = this.#options
    const { generation: _, package: __, version: ___, ...shown } = status
    const object = await virtual.get(releases, { name: release })
    if (object === undefined) return
    const now = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
    const observedGeneration = object.metadata.generation ?? 0
    const old =
      ((object as KubeObject)['status'] as { conditions?: readonly Condition[] } | undefined)?.conditions ??
      []
    const conditions = conditionsOf(status).map((condition) => {
      const before = old.find(({ type }) => type === condition.type)
      const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now
      return { ...condition, observedGeneration, lastTransitionTime }
    })
    const body = { status: { ...shown, observedGeneration, conditions } }
    await virtual.patchStatus(releases, { name: release }, { type: 'merge', body, fieldManager })
  }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
}

function conditionsOf({ phase, reason, message }: ReleaseStatus) {
  const is = (holds: boolean): string => (holds ? 'True' : 'False')
  return [
    { type: 'Ready', status: is(phase === 'Ready'), reason, message },
    { type: 'Progressing', status: is(phase === 'Applying' || phase === 'Waiting'), reason, message },
  ]
}
