// One pod on this node, from its first container to its last: order, restarts, deadlines, its end, and what its
// status says. The life of a container is container-run.ts's; how one is made is pod-launch.ts's.

import { isDeepStrictEqual } from 'node:util'
import type { Container, Pod, PodStatus } from '../../api/models.ts'
import { formatTime, parseTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import { isConflict, isNotFound } from '../../client/failures.ts'
import { pods } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import { MountError, namespaceOf } from './config-source.ts'
import type { ContainerRun } from './container-run.ts'
import { isSidecar, statusOf } from './status.ts'

export interface PodRunOptions {
  readonly pod: Pod
  readonly podIP: string
  readonly hostIP: string
  readonly client: Client
  readonly clock: Clock
  /** Makes the runs of its containers, not started yet; the pod is asked for when one starts. */
  readonly runOf: (container: Container, current: () => Pod) => ContainerRun
  /** Fills and renews the volumes. Throws MountError. */
  readonly prepare: (pod: Pod, signal: AbortSignal) => Promise<void>
  /** When the volumes want to be looked at again. */
  readonly renewAtMs: () => number | undefined
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void
}

export interface Turn {
  readonly requeueAfterMs?: number | undefined
}

interface Part {
  readonly container: Container
  readonly run: ContainerRun
}

const graceSecondsDefault = 30

export class PodRun {
  readonly uid: string
  readonly podIP: string
  readonly #options: PodRunOptions
  readonly #init: readonly Part[]
  readonly #main: readonly Part[]
  #pod: Pod
  /** The next moment at which something is due, in this turn's counting. */
  #dueMs: number | undefined
  #failure: { readonly reason: string; readonly message: string } | undefined
  #isDeleted = false

  constructor(options: PodRunOptions) {
    const { pod, podIP, runOf } = options
    this.uid = pod.metadata.uid ?? ''
    this.podIP = podIP
    this.#options = options
    this.#pod = pod
    const current = (): Pod => this.pod
    const partOf = (container: Container): Part => ({ container, run: runOf(container, current) })
    this.#init = (pod.spec?.initContainers ?? []).map(partOf)
    this.#main = (pod.spec?.containers ?? []).map(partOf)
    this.#restore()
  }

  /** As it was last seen, with the address that its status may not tell yet. */
  get pod(): Pod {
    const { podIP, hostIP } = this.#options
    const status = { ...this.#pod.status, podIP, podIPs: [{ ip: podIP }], hostIP, hostIPs: [{ ip: hostIP }] }
    return { ...this.#pod, status }
  }

  get isRunning(): boolean {
    return this.#parts.some(({ run }) => run.isRunning)
  }

  run(container: string): ContainerRun | undefined {
    return this.#parts.find((part) => part.container.name === container)?.run
  }

  /** Something new listens in the pod: its probes may succeed now. */
  poke(): void {
    for (const { run } of this.#parts) run.poke()
  }

  /** Does what is due and writes the status. */
  async sync(pod: Pod, { signal }: { readonly signal: AbortSignal }): Promise<Turn> {
    this.#pod = pod
    this.#dueMs = undefined
    if (pod.metadata.deletionTimestamp !== undefined) return await this.#end(signal)
    if (isOver(pod) && !this.isRunning) return {}
    if (isOver(pod)) this.stopAll(0)
    else await this.#advance(signal)
    await this.#writeStatus(signal)
    const { clock } = this.#options
    return this.#dueMs === undefined ? {} : { requeueAfterMs: Math.max(1, this.#dueMs - clock.now()) }
  }

  /** Ends all at once, for a pod that is gone or a host that stops. */
  stopAll(graceMs: number): void {
    for (const { run } of this.#parts) run.stop({ graceMs })
  }

  /** Resolves when none of its containers runs. */
  async untilStopped(): Promise<void> {
    await Promise.all(this.#parts.map(({ run }) => run.instance?.exited))
  }

  get #parts(): readonly Part[] {
    return [...this.#init, ...this.#main]
  }

  #restore(): void {
    const { initContainerStatuses = [], containerStatuses = [] } = this.#pod.status ?? {}
    // A new host is a new sandbox: what prepares the pod runs again, as after a node's restart.
    const isDone = isOver(this.#pod)
    for (const { container, run } of this.#parts) {
      const status = [...initContainerStatuses, ...containerStatuses].find(
        ({ name }) => name === container.name,
      )
      if (status !== undefined)
        run.restore(status, { startsAnew: !isDone && this.#init.some((part) => part.run === run) })
    }
  }

  #due(atMs: number): void {
    if (this.#dueMs === undefined || atMs < this.#dueMs) this.#dueMs = atMs
  }

  async #advance(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined || this.#isPastDeadline()) {
      this.stopAll(this.#graceMs)
      return
    }
    if (this.#isDone) {
      this.#stopSidecars()
      return
    }
    if (!(await this.#prepare(signal))) return
    if (!(await this.#initialize())) return
    for (const part of this.#main) await this.#keepUp(part)
  }

  /** Its containers have ended, and none is started again: what stands by them ends too. */
  get #isDone(): boolean {
    return this.#main.every(
      ({ container, run }) => run.ended !== undefined && !this.#restarts(container, run),
    )
  }

  get #graceMs(): number {
    return (this.#pod.spec?.terminationGracePeriodSeconds ?? graceSecondsDefault) * 1_000
  }

  #isPastDeadline(): boolean {
    const { activeDeadlineSeconds } = this.#pod.spec ?? {}
    const startedMs = parseTime(this.#pod.status?.startTime ?? '') ?? this.#options.clock.now()
    if (activeDeadlineSeconds === undefined) return false
    const endMs = startedMs + activeDeadlineSeconds * 1_000
    if (this.#options.clock.now() < endMs) {
      this.#due(endMs)
      return false
    }
    this.#failure = {
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    }
    this.#options.tell('Normal', 'DeadlineExceeded', this.#failure.message)
    return true
  }

  async #prepare(signal: AbortSignal): Promise<boolean> {
    const { clock, prepare, renewAtMs, tell } = this.#options
    try {
      await prepare(this.pod, signal)
      const atMs = renewAtMs()
      if (atMs !== undefined) this.#due(Math.max(atMs, clock.now() + 1_000))
      return true
    } catch (error) {
      if (signal.aborted) throw error
      const isMount = error instanceof MountError
      const message = error instanceof Error ? error.message : String(error)
      tell('Warning', isMount ? 'FailedMount' : 'Failed', message)
      for (const { run } of this.#parts)
        if (run.ended === undefined)
          run.wait(
            isMount ? 'ContainerCreating' : 'CreateContainerConfigError',
            isMount ? undefined : message,
          )
      this.#due(clock.now() + 5_000)
      // What runs goes on with what it has.
      return this.isRunning
    }
  }

  /** True when all that prepares the pod is done; its containers may start then. */
  async #initialize(): Promise<boolean> {
    if (this.#main.some(({ run }) => run.isRunning || run.ended !== undefined)) {
      for (const part of this.#init) if (isSidecar(part.container)) await this.#keepUp(part)
      return true
    }
    for (const part of this.#init) {
      const { container, run } = part
      if (isSidecar(container)) {
        await this.#keepUp(part)
        if (!run.isStarted) return this.#notYet()
      } else if (run.ended?.exitCode !== 0) {
        await this.#keepUp(part)
        return this.#notYet()
      }
    }
    return true
  }

  #notYet(): false {
    for (const { run } of this.#parts)
      if (!run.isRunning && run.ended === undefined && !run.isWaitingForConfig) run.wait('PodInitializing')
    return false
  }

  /** Starts what does not run and should. */
  async #keepUp({ container, run }: Part): Promise<void> {
    const { clock, tell } = this.#options
    if (run.isRunning) return
    const { ended } = run
    if (ended !== undefined) {
      if (!this.#restarts(container, run)) return
      const waitMs = run.crashLoop.waitMs({ endedMs: ended.atMs, nowMs: clock.now() })
      if (waitMs > 0) {
        const { name, uid } = this.#pod.metadata
        const seconds = run.crashLoop.delayMs / 1_000
        const pause = seconds >= 60 ? `${Math.floor(seconds / 60)}m${seconds % 60}s` : `${seconds}s`
        run.wait(
          'CrashLoopBackOff',
          `back-off ${pause} restarting failed container=${container.name} pod=${name}_${namespaceOf(this.#pod)}(${uid})`,
        )
        tell(
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${container.name} in pod ${name}_${namespaceOf(this.#pod)}(${uid})`,
        )
        this.#due(clock.now() + waitMs)
        return
      }
    }
    await run.start()
    // What cannot be made yet is tried again; a ConfigMap that comes wakes the pod earlier.
    if (run.isWaitingForConfig) this.#due(clock.now() + 10_000)
    else if (run.ended !== undefined) this.#due(clock.now() + 1)
  }

  #restarts(container: Container, run: ContainerRun): boolean {
    const policy = isSidecar(container) ? 'Always' : (container.restartPolicy ?? this.#policyOf(container))
    return policy === 'Always' || (policy === 'OnFailure' && run.ended?.exitCode !== 0)
  }

  /** What prepares a pod is never repeated once it went well. */
  #policyOf(container: Container): string {
    const policy = this.#pod.spec?.restartPolicy ?? 'Always'
    const isInit = this.#init.some((part) => part.container === container)
    return isInit && policy === 'Always' ? 'OnFailure' : policy
  }

  /** Last started, first stopped. True when none runs. */
  #stopSidecars(): boolean {
    const last = [...this.#init].reverse().find(({ run }) => run.isRunning)
    last?.run.stop({ graceMs: this.#graceMs })
    return last === undefined
  }

  async #end(signal: AbortSignal): Promise<Turn> {
    const graceMs = (this.#pod.metadata.deletionGracePeriodSeconds ?? 0) * 1_000
    for (const { run } of this.#main) run.stop({ graceMs })
    const isMainEnded = this.#main.every(({ run }) => !run.isRunning)
    const isEnded = isMainEnded && this.#stopSidecars()
    if (!this.#isDeleted) await this.#writeStatus(signal, { isOver: isEnded })
    if (isEnded && !this.#isDeleted) await this.#delete(signal)
    return {}
  }

  async #delete(signal: AbortSignal): Promise<void> {
    const { client } = this.#options
    const { name = '', namespace, uid } = this.#pod.metadata
    try {
      await client.delete(
        pods,
        { name, namespace },
        { gracePeriodSeconds: 0, preconditions: { uid }, signal },
      )
    } catch (error) {
      // Somebody else removed it, or made a new one of that name.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    this.#isDeleted = true
  }

  async #writeStatus(signal: AbortSignal, { isOver: isEnded = false } = {}): Promise<void> {
    const { client, clock, podIP, hostIP } = this.#options
    const status = statusOf({
      pod: this.#pod,
      containers: this.#main.map(({ run }) => run.status),
      initContainers: this.#init.map(({ run }) => run.status),
      podIP,
      hostIP,
      now: formatTime(clock.now()),
      failure: this.#failure,
      message: this.#simulation,
      isOver: isEnded,
    })
    if (isDeepStrictEqual(plain(status), plain(this.#pod.status))) return
    try {
      this.#pod = await client.updateStatus(pods, { ...this.#pod, status }, { signal })
    } catch (error) {
      if (isNotFound(error)) return
      throw error
    }
  }

  get #simulation(): string | undefined {
    const images = this.#parts
      .filter(({ run }) => run.isSimulated)
      .map(({ container }) => JSON.stringify(container.image))
    if (images.length === 0)
      return this.#pod.status?.message?.startsWith('simulated: ') === true
        ? this.#pod.status.message
        : undefined
    const [first] = images
    return images.length === 1
      ? `simulated: image ${first} is not run by the embedded host`
      : `simulated: images ${images.join(', ')} are not run by the embedded host`
  }
}

const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'

/** Without what is undefined, as it would come back. */
const plain = (status: PodStatus | undefined): unknown =>
  status === undefined ? {} : JSON.parse(JSON.stringify(status))
