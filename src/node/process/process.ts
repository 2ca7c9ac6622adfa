// One process of a container: started in a group of its own, its output in a log, its end as an answer.
// What to start is launch.ts's; when to stop it, the pod's.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Launch } from './launch.ts'
import type { LogFile, Stream } from './log-file.ts'

export interface Exit {
  /** 128 and the signal's number when a signal ended it, as container runtimes say. */
  readonly exitCode: number
  readonly signal: string | undefined
}

export interface RunningProcess {
  readonly pid: number
  /** Resolves when it has ended and its output is written; never rejects. */
  readonly exited: Promise<Exit>
  /** SIGTERM and its like go to the process, SIGKILL to all that it started. Harmless when it is gone. */
  signal(name: NodeJS.Signals): void
}

/** Rejects when it cannot be started: no such file, not executable. */
export async function startProcess(launch: Launch, log: LogFile): Promise<RunningProcess> {
  const child = spawn(launch.file, [...launch.args], {
    ...settings(launch),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pid = await started(child)
  const outputs = [
    copy(child.stdout, { log, stream: 'stdout' }),
    copy(child.stderr, { log, stream: 'stderr' }),
  ]
  const exited = ended(child, pid).then(async (exit) => {
    await Promise.all(outputs)
    return exit
  })
  return { pid, exited, signal: (name) => signalProcess(child, pid, name) }
}

/** Without a log: for commands whose exit code alone is wanted. */
export async function startBareProcess(launch: Launch): Promise<RunningProcess> {
  return await running(spawn(launch.file, [...launch.args], { ...settings(launch), stdio: 'ignore' }))
}

export interface PipedProcess extends RunningProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
}

/** Its streams are the caller's to read and write. */
export async function startPipedProcess(launch: Launch): Promise<PipedProcess> {
  const child = spawn(launch.file, [...launch.args], { ...settings(launch), stdio: 'pipe' })
  const { stdin, stdout, stderr } = child
  // One that ends without reading its input is none of our business.
  stdin.on('error', () => undefined)
  return { ...(await running(child)), stdin, stdout, stderr }
}

async function running(child: ChildProcess): Promise<RunningProcess> {
  const pid = await started(child)
  return { pid, exited: ended(child, pid), signal: (name) => signalProcess(child, pid, name) }
}

// A group of its own: a signal to the host's terminal is not one to the pods.
const settings = ({ cwd, env }: Launch) =>
  ({ cwd, env: { ...env }, detached: true, windowsHide: true }) as const

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => {
      child.removeListener('error', reject)
      child.on('error', () => undefined)
      resolve(child.pid ?? 0)
    })
  })
}

function ended(child: ChildProcess, pid: number): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // A container ends with its first process: what it left behind goes too, and lets go of the output.
      killGroup(pid)
      resolve({ exitCode: code ?? 128 + signalNumber(signal), signal: signal ?? undefined })
    })
  })
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
}

const signalNumber = (signal: string | null): number => signalNumbers[signal ?? ''] ?? 0

async function copy(from: Readable, { log, stream }: { log: LogFile; stream: Stream }): Promise<void> {
  try {
    for await (const chunk of from) await log.write(stream, chunk as Buffer)
  } catch {
    // The stream was destroyed with its process.
  }
}

function signalProcess(child: ChildProcess, pid: number, name: NodeJS.Signals): void {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (name === 'SIGKILL') killGroup(pid)
  else child.kill(name)
}

/** Of a process whose group has its number. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of it is left.
  }
}
