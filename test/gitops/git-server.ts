// A git server for tests: git's own smart HTTP backend behind node:http, and a working copy that pushes to it.
// Only the Node side is ours; pushes, packs and refs are git's.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface GitServer extends AsyncDisposable {
  readonly url: string
  /** The working copy. */
  readonly work: string
  /** Requests so far, as `GET /app.git/info/refs`. */
  readonly requests: string[]
  git(...args: string[]): Promise<string>
  /** Writes files, removes those without a text, commits everything and pushes; answers the commit. */
  push(files: Readonly<Record<string, string | undefined>>, ...flags: string[]): Promise<string>
}

const runFile = promisify(execFile)

/** False on a machine without git. */
export const hasGit = (): Promise<boolean> =>
  runFile('git', ['--version']).then(
    () => true,
    (error: { code?: unknown }) => error.code !== 'ENOENT',
  )

export async function startGitServer(): Promise<GitServer> {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-git-'))
  const work = join(folder, 'work')
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' },
    ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' },
  }
  const git = async (...args: string[]) => (await runFile('git', args, { cwd: work, env })).stdout.trim()
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`)
    answer({ request, response, env: { ...env, GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: '1' } })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`
  await mkdir(work)
  await git('init', '-q', '--bare', '-b', 'main', '../app.git')
  await git('-C', '../app.git', 'config', 'http.receivepack', 'true')
  await git('init', '-q', '-b', 'main')
  await git('remote', 'add', 'origin', url)
  return {
    url,
    work,
    requests,
    git,
    push: async (files, ...flags) => {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(work, name)), { recursive: true })
        if (text === undefined) await rm(join(work, name))
        else await writeFile(join(work, name), text)
      }
      await git('add', '-A')
      await git('commit', '-q', '--allow-empty', '-m', 'change')
      await git('push', '-q', ...flags, 'origin', 'main')
      return git('rev-parse', 'HEAD')
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly env: NodeJS.ProcessEnv
}

/** CGI: the request in variables and on standard input, the answer with its headers on standard output. */
function answer({ request, response, env }: Exchange): void {
  const [path, query = ''] = (request.url ?? '').split('?')
  const { headers } = request
  const child = spawn('git', ['http-backend'], {
    env: {
      ...env,
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: headers['content-type'],
      CONTENT_LENGTH: headers['content-length'],
      HTTP_CONTENT_ENCODING: headers['content-encoding'],
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_USER: 'test',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.on('close', () => {
    const whole = Buffer.concat(chunks)
    const end = whole.indexOf('\r\n\r\n')
    for (const line of whole.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/)
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.end(whole.subarray(end + 4))
  })
}
