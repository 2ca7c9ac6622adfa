// Remembers which processes were started, so that a host that was killed finds what it left behind.
// A number alone proves nothing: it counts only together with the moment at which its process began.

import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { killGroup } from './process.ts'

interface ProcessRecord {
  readonly pid: number
  readonly started: string
}

export async function rememberProcess(directory: string, pid: number): Promise<void> {
  const started = await startOf(pid)
  if (started === undefined) return
  await writeFile(fileOf(directory, pid), JSON.stringify({ pid, started } satisfies ProcessRecord), {
    mode: 0o600,
  })
}

export async function forgetProcess(directory: string, pid: number): Promise<void> {
  await rm(fileOf(directory, pid), { force: true })
}

/** Ends what an earlier host started and did not stop. Answers the numbers of those that still ran. */
export async function endOrphans(directory: string): Promise<readonly number[]> {
  const ended: number[] = []
  for (const file of await readdir(directory)) {
    const record = await readRecord(join(directory, file))
    if (record !== undefined && (await startOf(record.pid)) === record.started) {
      killGroup(record.pid)
      ended.push(record.pid)
    }
    await rm(join(directory, file), { force: true })
  }
  return ended
}

const fileOf = (directory: string, pid: number): string => join(directory, `${pid}.json`)

async function readRecord(path: string): Promise<ProcessRecord | undefined> {
  try {
    const { pid, started } = JSON.parse(await readFile(path, 'utf8')) as Partial<ProcessRecord>
    return Number.isInteger(pid) && typeof started === 'string' ? { pid: pid ?? 0, started } : undefined
  } catch {
    return undefined
  }
}

/** The moment as the system tells it; `undefined` when there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; the start is the 22nd field of proc(5), the 20th after it.
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; only its parent has not noticed.
    return state === 'Z' ? undefined : fields[18]
  } catch {
    return process.platform === 'linux' ? undefined : await startFromPs(pid)
  }
}

async function startFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    return undefined
  }
}
