// Starts the sandbox, asks it one question, and ends it: by itself, or killed when it takes too long or says too much.
// Its program files are all that it can read, and Node's permission model stands around the rest.

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { basename, dirname, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { packageError } from '../failure.ts'
import type {
  CheckRequest,
  Rendered,
  RenderRequest,
  SandboxAnswer,
  SandboxRequest,
  SchemaFault,
} from './protocol.ts'

export interface Sandbox {
  /** What of `data` breaks the schema. Throws PackageError, naming `file`, when the schema itself is broken. */
  check(request: Omit<CheckRequest, 'operation'>, file: string): Promise<readonly SchemaFault[]>
  render(request: Omit<RenderRequest, 'operation'>): Promise<readonly Rendered[]>
}

export interface SandboxOptions {
  readonly clock?: Clock | undefined
  readonly timeoutMs?: number | undefined
}

const answerBytesMax = 32 * 1024 * 1024
const memoryMegabytes = 256
const startTimeoutMs = 30_000
/** What scripts/build.ts calls the bundled program, beside the bundled plane. */
const bundledProgram = 'sandbox.mjs'

export function createSandbox({ clock = systemClock, timeoutMs = 5_000 }: SandboxOptions = {}): Sandbox {
  const ask = (request: SandboxRequest, file: string) => askChild(request, { file, clock, timeoutMs })
  return {
    check: async (request, file) => {
      const answer = await ask({ operation: 'check', ...request }, file)
      return 'faults' in answer ? answer.faults : []
    },
    render: async (request) => {
      const answer = await ask({ operation: 'render', ...request }, 'templates')
      return 'rendered' in answer ? answer.rendered : []
    },
  }
}

interface Asking {
  readonly file: string
  readonly clock: Clock
  readonly timeoutMs: number
}

async function askChild(
  request: SandboxRequest,
  { file, clock, timeoutMs }: Asking,
): Promise<SandboxAnswer & { ok: true }> {
  const { program, readable } = programOf(import.meta.url)
  const child = spawn(
    process.execPath,
    [
      '--permission',
      ...readable.map((path) => `--allow-fs-read=${path}`),
      '--disable-proto=delete',
      `--max-old-space-size=${memoryMegabytes}`,
      program,
    ],
    { env: {}, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true },
  )
  let ending = ''
  const end = (why: string): void => {
    ending ||= why
    child.kill('SIGKILL')
  }
  const onTooMuch = (): void => end(`printed more than ${answerBytesMax} bytes`)
  let cancel = clock.setTimer(startTimeoutMs, () => end('did not start'))
  const onStart = (): void => {
    cancel()
    cancel = clock.setTimer(timeoutMs, () => end(`took longer than ${timeoutMs / 1000} s`))
  }
  // A child that has ended does not read: its exit says more than the broken pipe.
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(request))
  try {
    const [output, errors, code] = await Promise.all([
      collect(child.stdout, { onStart, onTooMuch }),
      collect(child.stderr, { onTooMuch }),
      new Promise<number | null>((resolve, reject) => {
        child.once('error', reject)
        child.once('close', resolve)
      }),
    ])
    if (ending !== '') throw packageError(file, `rendering ${ending}; simplify it`)
    if (code !== 0) throw packageError(file, `rendering failed: ${lastError(errors)}`)
    return accept(JSON.parse(output) as SandboxAnswer, file)
  } finally {
    cancel()
  }
}

function accept(answer: SandboxAnswer, file: string): SandboxAnswer & { ok: true } {
  if (answer.ok) return answer
  throw packageError(answer.file === '' ? file : answer.file, answer.message, { line: answer.line })
}

interface Collecting {
  readonly onStart?: () => void
  readonly onTooMuch: () => void
}

async function collect(stream: NodeJS.ReadableStream, { onStart, onTooMuch }: Collecting): Promise<string> {
  const pieces: Buffer[] = []
  let total = 0
  for await (const piece of stream) {
    if (pieces.length === 0) onStart?.()
    const bytes = piece as Buffer
    total += bytes.length
    if (total > answerBytesMax) {
      onTooMuch()
      break
    }
    pieces.push(bytes)
  }
  return Buffer.concat(pieces).toString('utf8')
}

const lastError = (text: string): string =>
  text.split('\n').find((line) => /^\w*Error: |heap out of memory/.test(line)) ??
  'the child ended without an answer'

/** From source, the libraries are files of their own; the bundle is one. */
export function programOf(own: string): { readonly program: string; readonly readable: readonly string[] } {
  const here = fileURLToPath(own)
  const extension = extname(here)
  if (basename(here) !== `sandbox${extension}` || extension === '.mjs') {
    const program = fileURLToPath(new URL(`./${bundledProgram}`, own))
    return { program, readable: [program] }
  }
  const require = createRequire(own)
  const libraries = dirname(dirname(dirname(require.resolve('handlebars/package.json'))))
  return {
    program: fileURLToPath(new URL(`./child${extension}`, own)),
    readable: [`${dirname(here)}/`, `${libraries}/node_modules/`],
  }
}
