// One run of a container, real or simulated: what its life needs of it.

import type { Exit } from '../process/process.ts'

export interface Instance {
  readonly isSimulated: boolean
  /** Never rejects. */
  readonly exited: Promise<Exit>
  signal(name: NodeJS.Signals): void
  /** Runs another command as the container would and answers its exit code; a simulated one answers 0. */
  exec(commandLine: readonly string[], options: { readonly signal: AbortSignal }): Promise<number>
}

/** Stands for a container whose image is not run here: it runs until it is stopped, or has ended already. */
export function simulate({ endsAtOnce }: { readonly endsAtOnce: boolean }): Instance {
  const ended = Promise.withResolvers<Exit>()
  const end = (): void => ended.resolve({ exitCode: 0, signal: undefined })
  if (endsAtOnce) end()
  return { isSimulated: true, exited: ended.promise, signal: end, exec: async () => 0 }
}
