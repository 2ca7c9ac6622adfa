// The life of one container of a pod: waiting, running, terminated, and again; its hooks, probes and its end.
// When it may start and whether it starts again is pod-run.ts's.

import type { Container, ContainerStateTerminated, ContainerStatus, Probe } from '../../api/models.ts'
import { formatTime } from '../../api/time.ts'
import type { Cancel, Clock } from '../../platform/clock.ts'
import type { Random } from '../../platform/random.ts'
import type { Network } from '../network/network.ts'
import type { Exit } from '../process/process.ts'
import { carryOut } from './action.ts'
import { ConfigError } from './config-source.ts'
import { CrashLoop } from './crash-loop.ts'
import type { Instance } from './instance.ts'
import { Probes } from './probes.ts'

export type RunState =
  | { readonly type: 'waiting'; readonly reason: string; readonly message?: string | undefined }
  | { readonly type: 'running'; readonly startedAt: string }
  | { readonly type: 'terminated'; readonly terminated: ContainerStateTerminated }

export interface RunOptions {
  readonly container: Container
  readonly podIP: string
  readonly network: Pick<Network, 'route' | 'dial'>
  readonly clock: Clock
  readonly random: Random
  /** The pod's own, for a container that its probes find unhealthy. */
  readonly graceMs: number
  /** Makes a run of the container; throws ConfigError when the pod does not allow it, any error when it cannot start. */
  readonly launch: (restartCount: number) => Promise<Instance>
  /** What the program left in its termination message. */
  readonly lastWords: (exit: Exit) => Promise<string | undefined>
  /** Something that the pod's status shows has changed. */
  readonly wake: () => void
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void
}

export interface StopOptions {
  readonly graceMs: number
}

// A hook that uses up all the time leaves the program a moment.
const graceMsMin = 2_000

export class ContainerRun {
  readonly crashLoop = new CrashLoop()
  readonly #options: RunOptions
  #state: RunState = { type: 'waiting', reason: 'ContainerCreating' }
  #last: ContainerStateTerminated | undefined
  /** The run before the last. */
  #previous: ContainerStateTerminated | undefined
  #id = ''
  #restarts = 0
  #hasRun = false
  /** Ran under an earlier host and runs again whatever came of it. */
  #restartsAnew = false
  #endedMs = 0
  #startedMs = 0
  #instance: Instance | undefined
  #probes: Probes | undefined
  #stopping: { dueMs: number; cancel: Cancel } | undefined
  #isStarting = false

  constructor(options: RunOptions) {
    this.#options = options
  }

  get state(): RunState {
    return this.#state
  }

  get isRunning(): boolean {
    return this.#instance !== undefined || this.#isStarting
  }

  /** Its startup is over: sidecars let the next container start then. */
  get isStarted(): boolean {
    return this.#instance !== undefined && this.#probes?.isStarted === true
  }

  get isReady(): boolean {
    return this.#instance !== undefined && this.#stopping === undefined && this.#probes?.isReady === true
  }

  /** What it is made from is missing or wrong. */
  get isWaitingForConfig(): boolean {
    return this.#state.type === 'waiting' && this.#state.reason.startsWith('CreateContainer')
  }

  get isSimulated(): boolean {
    return this.#instance?.isSimulated === true
  }

  /** How its last run ended; undefined while it runs and before it ever ran. */
  get ended(): { readonly exitCode: number; readonly atMs: number } | undefined {
    if (this.isRunning || !this.#hasRun || this.#restartsAnew) return undefined
    return { exitCode: this.#last?.exitCode ?? 0, atMs: this.#endedMs }
  }

  get instance(): Instance | undefined {
    return this.#instance
  }

  get restartCount(): number {
    return this.#restarts
  }

  /** Takes up what an earlier host wrote: what ran then has ended. */
  restore(status: ContainerStatus, { startsAnew }: { readonly startsAnew: boolean }): void {
    const { state, lastState, restartCount } = status
    this.#restarts = restartCount
    this.#id = status.containerID ?? ''
    if (state?.waiting !== undefined && lastState?.terminated === undefined) return
    const now = formatTime(this.#options.clock.now())
    const lost = { exitCode: 137, reason: 'Error', message: 'the embedded host was stopped', finishedAt: now }
    this.#last =
      state?.terminated ??
      (state?.running && { ...lost, startedAt: state.running.startedAt }) ??
      lastState?.terminated
    this.#hasRun = this.#last !== undefined
    if (startsAnew) this.#restartsAnew = this.#hasRun
    else if (this.#last !== undefined) this.#state = { type: 'terminated', terminated: this.#last }
  }

  wait(reason: string, message?: string): void {
    if (!this.isRunning) this.#state = { type: 'waiting', reason, message }
  }

  /** Resolves when it runs, or when it could not be started. */
  async start(): Promise<void> {
    const { launch, clock, tell, container } = this.#options
    this.#isStarting = true
    const restarts = this.#hasRun ? this.#restarts + 1 : this.#restarts
    try {
      const instance = await launch(restarts)
      this.#began(instance, restarts)
      tell('Normal', 'Started', `Started container ${container.name}`)
    } catch (error) {
      if (error instanceof ConfigError) {
        this.#state = { type: 'waiting', reason: error.reason, message: error.message }
        tell('Warning', 'Failed', `Error: ${error.message}`)
        return
      }
      this.#restarts = restarts
      this.#startedMs = clock.now()
      this.#id = newId(this.#options.random)
      const message = error instanceof Error ? error.message : String(error)
      tell('Warning', 'Failed', `Error: ${message}`)
      this.#terminated({ exitCode: 128, signal: undefined }, { reason: 'StartError', message })
    } finally {
      this.#isStarting = false
      if (this.#state.type !== 'waiting') this.#restartsAnew = false
    }
  }

  /** Asks the program to end, and makes it when the time is over. A second call may only shorten the time. */
  stop({ graceMs }: StopOptions): void {
    const { clock, container, tell } = this.#options
    const instance = this.#instance
    if (instance === undefined) return
    const dueMs = clock.monotonic() + graceMs
    if (this.#stopping !== undefined && this.#stopping.dueMs <= dueMs) return
    const isFirst = this.#stopping === undefined
    this.#stopping?.cancel()
    this.#stopping = { dueMs, cancel: clock.setTimer(graceMs, () => instance.signal('SIGKILL')) }
    if (!isFirst) return
    tell('Normal', 'Killing', `Stopping container ${container.name}`)
    void this.#askToEnd(instance, graceMs)
  }

  poke(): void {
    this.#probes?.poke()
  }

  async #askToEnd(instance: Instance, graceMs: number): Promise<void> {
    const { container, clock } = this.#options
    const { preStop, stopSignal = 'SIGTERM' } = container.lifecycle ?? {}
    if (preStop !== undefined && graceMs > 0) {
      const limit = new AbortController()
      const cancel = clock.setTimer(graceMs, () => limit.abort(new Error('the hook took too long')))
      const failure = await carryOut(preStop, { ...this.#options, instance }, { signal: limit.signal }).catch(
        String,
      )
      cancel()
      if (failure !== undefined)
        this.#options.tell('Warning', 'FailedPreStopHook', `PreStopHook failed: ${failure}`)
      this.#leaveAMoment(instance)
    }
    // As the kubelet: no time at all means no question.
    instance.signal(graceMs > 0 ? (stopSignal as NodeJS.Signals) : 'SIGKILL')
  }

  #leaveAMoment(instance: Instance): void {
    const { clock } = this.#options
    const stopping = this.#stopping
    if (stopping === undefined || stopping.dueMs - clock.monotonic() >= graceMsMin) return
    stopping.cancel()
    stopping.dueMs = clock.monotonic() + graceMsMin
    stopping.cancel = clock.setTimer(graceMsMin, () => instance.signal('SIGKILL'))
  }

  #began(instance: Instance, restarts: number): void {
    const { clock, wake, tell, container } = this.#options
    this.#restarts = restarts
    this.#hasRun = true
    this.#instance = instance
    this.#id = newId(this.#options.random)
    this.#startedMs = clock.now()
    this.#state = { type: 'running', startedAt: formatTime(this.#startedMs) }
    const context = { ...this.#options, instance }
    this.#probes = new Probes({
      ...context,
      onChange: wake,
      onFailure: (message) => tell('Warning', 'Unhealthy', message),
      onUnhealthy: (probe, what) => this.#unhealthy(probe, what),
    })
    void instance.exited.then((exit) => this.#onExit(exit))
    if (container.lifecycle?.postStart !== undefined) void this.#afterStart(instance)
  }

  async #afterStart(instance: Instance): Promise<void> {
    const { container, tell } = this.#options
    const hook = container.lifecycle?.postStart ?? {}
    const never = new AbortController()
    const failure = await carryOut(hook, { ...this.#options, instance }, { signal: never.signal }).catch(
      String,
    )
    if (failure === undefined || this.#instance !== instance) return
    tell('Warning', 'FailedPostStartHook', `PostStartHook failed: ${failure}`)
    this.stop({ graceMs: graceMsMin })
  }

  #unhealthy(probe: Probe, what: string): void {
    const { container, tell } = this.#options
    if (this.#stopping !== undefined) return
    const own = probe.terminationGracePeriodSeconds
    tell('Normal', 'Killing', `Container ${container.name} failed ${what}, will be restarted`)
    this.stop({ graceMs: own === undefined ? this.#options.graceMs : own * 1_000 })
  }

  async #onExit(exit: Exit): Promise<void> {
    this.#probes?.stop()
    this.#stopping?.cancel()
    const message = await this.#options.lastWords(exit).catch(() => undefined)
    this.#terminated(exit, { reason: exit.exitCode === 0 ? 'Completed' : 'Error', message })
    this.#options.wake()
  }

  #terminated(
    { exitCode }: Exit,
    { reason, message }: { reason: string; message: string | undefined },
  ): void {
    const { clock } = this.#options
    this.#endedMs = clock.now()
    this.#hasRun = true
    const terminated = {
      exitCode,
      reason,
      ...(message === undefined || message === '' ? {} : { message }),
      startedAt: formatTime(this.#startedMs),
      finishedAt: formatTime(this.#endedMs),
      containerID: this.#id,
    }
    this.#instance = undefined
    this.#probes = undefined
    this.#stopping = undefined
    this.#previous = this.#last
    this.#last = terminated
    this.#state = { type: 'terminated', terminated }
  }

  get status(): ContainerStatus {
    const { container } = this.#options
    const image = container.image ?? ''
    const isRunning = this.#state.type === 'running'
    const last = this.#state.type === 'terminated' ? this.#previous : this.#last
    return {
      name: container.name,
      image,
      imageID: this.#id === '' ? '' : image,
      ...(this.#id === '' ? {} : { containerID: this.#id }),
      restartCount: this.#restarts,
      ready: this.isReady,
      started: isRunning && this.isStarted,
      state: stateOf(this.#state),
      lastState: last === undefined ? {} : { terminated: last },
    }
  }
}

const newId = (random: Random): string => `k3v://${Buffer.from(random.bytes(32)).toString('hex')}`

function stateOf(state: RunState): NonNullable<ContainerStatus['state']> {
  if (state.type === 'running') return { running: { startedAt: state.startedAt } }
  if (state.type === 'terminated') return { terminated: state.terminated }
  const { reason, message } = state
  return { waiting: { reason, ...(message === undefined ? {} : { message }) } }
}
