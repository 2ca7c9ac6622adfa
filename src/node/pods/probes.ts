// The probes of one run of a container: startup first, then readiness and liveness side by side.
// Upstream: pkg/kubelet/prober/prober_manager.go.

import type { Probe } from '../../api/models.ts'
import { type ActionContext, carryOut } from './action.ts'
import { Prober } from './prober.ts'

export interface ProbesOptions extends ActionContext {
  /** Called when `isStarted` or `isReady` has changed. */
  readonly onChange: () => void
  /** The container must be stopped: its liveness or startup probe has failed for good. */
  readonly onUnhealthy: (probe: Probe, message: string) => void
  readonly onFailure: (message: string) => void
}

export class Probes {
  readonly #options: ProbesOptions
  readonly #probers: Prober[] = []
  isStarted: boolean
  isReady = false

  constructor(options: ProbesOptions) {
    this.#options = options
    const { startupProbe } = options.container
    this.isStarted = startupProbe === undefined || options.instance.isSimulated
    if (this.isStarted || startupProbe === undefined) this.#afterStart()
    else this.#watch('Startup', startupProbe, (isSuccess) => isSuccess && this.#started())
  }

  poke(): void {
    for (const prober of this.#probers) prober.poke()
  }

  stop(): void {
    for (const prober of this.#probers.splice(0)) prober.stop()
  }

  #started(): void {
    this.stop()
    this.isStarted = true
    this.#afterStart()
    this.#options.onChange()
  }

  #afterStart(): void {
    const { container, instance } = this.#options
    const { readinessProbe, livenessProbe } = container
    if (readinessProbe === undefined || instance.isSimulated) this.isReady = true
    else this.#watch('Readiness', readinessProbe, (isSuccess) => this.#setReady(isSuccess))
    if (livenessProbe !== undefined && !instance.isSimulated)
      this.#watch('Liveness', livenessProbe, () => undefined)
  }

  #setReady(isReady: boolean): void {
    if (this.isReady === isReady) return
    this.isReady = isReady
    this.#options.onChange()
  }

  #watch(name: 'Startup' | 'Readiness' | 'Liveness', probe: Probe, note: (isSuccess: boolean) => void): void {
    const { onFailure, onUnhealthy, clock } = this.#options
    this.#probers.push(
      new Prober({
        probe,
        clock,
        check: (options) => carryOut(probe, this.#options, options),
        onFailure: (reason) => onFailure(`${name} probe failed: ${reason}`),
        onResult: (isSuccess) => {
          note(isSuccess)
          if (!isSuccess && name !== 'Readiness') onUnhealthy(probe, `${name.toLowerCase()} probe`)
        },
      }),
    )
  }
}
