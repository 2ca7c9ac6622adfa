// Runs steps one after the other, each within its own time, and tells how long each took.
// What the steps do is demo.ts's.

export interface Step {
  readonly name: string
  readonly deadlineMs: number
  /** Answers what a person sees of it. */
  readonly run: (signal: AbortSignal) => Promise<string>
}

export interface Taken {
  readonly name: string
  readonly ms: number
}

export class StepFailure extends Error {
  readonly step: string
  readonly taken: readonly Taken[]
  constructor(step: string, { taken, cause }: { taken: readonly Taken[]; cause: unknown }) {
    super(`${step}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.step = step
    this.taken = taken
  }
}

/** Rejects with a StepFailure at the first step that fails, is late, or is interrupted. */
export async function runSteps(
  steps: readonly Step[],
  { signal, onDone }: { signal: AbortSignal; onDone: (taken: Taken, shown: string) => void },
): Promise<readonly Taken[]> {
  const taken: Taken[] = []
  for (const { name, deadlineMs, run } of steps) {
    const startMs = performance.now()
    try {
      const shown = await within(run, deadlineMs, signal)
      const done = { name, ms: Math.round(performance.now() - startMs) }
      taken.push(done)
      onDone(done, shown)
    } catch (error) {
      throw new StepFailure(name, { taken, cause: error })
    }
  }
  return taken
}

async function within(run: Step['run'], deadlineMs: number, interrupted: AbortSignal): Promise<string> {
  const late = AbortSignal.timeout(deadlineMs)
  const signal = AbortSignal.any([late, interrupted])
  const given = Promise.withResolvers<never>()
  const onAbort = (): void =>
    given.reject(
      interrupted.aborted ? new Error('interrupted') : new Error(`not done within ${deadlineMs / 1000} s`),
    )
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([run(signal), given.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
