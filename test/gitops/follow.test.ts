import { mkdtempSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type FollowEvent, Follower, type FollowOptions } from '../../src/gitops/follow.ts'
import { openRepository } from '../../src/gitops/repository.ts'
import { readSource } from '../../src/gitops/source.ts'
import { packageError } from '../../src/packages/failure.ts'
import { type PackageFiles, textOf } from '../../src/packages/files.ts'
import { type GitServer, hasGit, startGitServer } from './git-server.ts'

const skip = (await hasGit()) ? false : 'there is no git on this machine'

type Options = Partial<FollowOptions<PackageFiles>> & { readonly path?: string }

/** A follower whose packages are their files, and which deploys into a list. */
function follow(t: Test, server: GitServer, { path = '.', ...options }: Options = {}) {
  const events: FollowEvent[] = []
  const deployed: Record<string, string>[] = []
  const repository = openRepository({
    source: readSource({ url: server.url, ref: 'main', path }),
    folder: mkdtempSync(join(tmpdir(), 'k3v-follow-')),
  })
  t.teardown(() => repository[Symbol.asyncDispose]())
  const follower = new Follower<PackageFiles>({
    repository,
    intervalMs: 20,
    pack: async (files) => {
      if (files.has('broken')) throw packageError('broken', 'does not pack')
      return files
    },
    deploy: async (files) => deployed.push(Object.fromEntries([...files].map(([k, v]) => [k, textOf(v)]))),
    wait: async () => ({ isReady: true, message: 'ready' }),
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
    ...options,
  })
  const steps = (): string =>
    events
      .splice(0)
      .map(({ event }) => event)
      .join(' ')
  return { follower, deployed, events, steps }
}

t.test('a commit is taken once; looking again costs no fetch', { skip }, async (t) => {
  await using server = await startGitServer()
  const { follower, deployed, steps } = follow(t, server)
  await server.push({ 'a.yaml': 'one', 'sub/b.yaml': 'two', '.hidden': 'x' })
  t.equal(await follower.once(), 'ready')
  t.equal(steps(), 'noticed packed deployed ready')
  t.strictSame(deployed, [{ 'a.yaml': 'one', 'sub/b.yaml': 'two' }])
  const fetches = () => server.requests.filter((request) => /^POST .*upload-pack/.test(request)).length
  const before = fetches()
  t.equal(await follower.once(), 'ready')
  t.equal(fetches(), before + 1, 'only the question for refs')
  t.equal(deployed.length, 1)
})

t.test('what changes beside the folder deploys nothing', { skip }, async (t) => {
  await using server = await startGitServer()
  const { follower, deployed, steps } = follow(t, server, { path: 'app' })
  await server.push({ 'app/a.yaml': 'one' })
  await follower.once()
  await server.push({ 'other/b.yaml': 'two' })
  t.equal(await follower.once(), 'unchanged')
  t.match(steps(), /noticed unchanged$/)
  t.equal(deployed.length, 1)
})

t.test('links, submodules and empty folders are bad, and nothing is deployed', { skip }, async (t) => {
  await using server = await startGitServer()
  const { follower, deployed, events } = follow(t, server)
  await server.push({ 'a.yaml': 'one' })
  await follower.once()
  await symlink('/etc/passwd', join(server.work, 'link.yaml'))
  const bad = async (message: RegExp) => {
    t.equal(await follower.once(), 'bad')
    t.match(events.at(-1), { event: 'bad', message })
  }
  await server.push({})
  await bad(/^link\.yaml: a link/)
  await server.git('rm', '-q', 'link.yaml')
  await server.git(
    'update-index',
    '--add',
    '--cacheinfo',
    `160000,${await server.git('rev-parse', 'HEAD')},module`,
  )
  await server.git('commit', '-q', '-m', 'module')
  await server.git('push', '-q', 'origin', 'main')
  await bad(/^module: a submodule/)
  await server.git('rm', '-q', '--cached', 'module')
  await server.push({ 'a.yaml': undefined })
  await bad(/holds no files; nothing is deployed and nothing removed/)
  t.equal(deployed.length, 1)
})

t.test('refs named like properties of all objects change no prototype', { skip }, async (t) => {
  await using server = await startGitServer()
  const { follower } = follow(t, server)
  await server.push({ '__proto__/polluted.yaml': 'one', 'a.yaml': 'two' })
  await server.git('tag', '__proto__')
  await server.git(
    'push',
    '-q',
    'origin',
    '__proto__',
    'main:refs/heads/__proto__',
    'main:refs/__proto__/polluted',
  )
  t.equal(await follower.once(), 'ready')
  t.strictSame(Object.keys(Object.prototype), [])
  t.notOk('polluted' in {})
})

t.test(
  'a forced push is followed and said, or refused when only descendants are wanted',
  { skip },
  async (t) => {
    await using server = await startGitServer()
    const free = follow(t, server)
    const strict = follow(t, server, { descendantsOnly: true })
    await server.push({ 'a.yaml': 'one' })
    await server.push({ 'a.yaml': 'two' })
    await Promise.all([free.follower.once(), strict.follower.once()])
    await server.git('reset', '-q', '--hard', 'HEAD~1')
    await server.push({ 'a.yaml': 'three' }, '--force')
    t.equal(await free.follower.once(), 'ready')
    t.match(free.steps(), /noticed forced packed deployed ready$/)
    t.equal(await strict.follower.once(), 'bad')
    t.equal(strict.deployed.length, 1)
  },
)

t.test(
  'what does not become ready is replaced by the last good commit and not tried again',
  { skip },
  async (t) => {
    await using server = await startGitServer()
    let isReady = true
    const { follower, deployed, steps } = follow(t, server, {
      wait: async () => ({ isReady, message: 'said' }),
    })
    await server.push({ 'a.yaml': 'good' })
    t.equal(await follower.once(), 'ready')
    isReady = false
    await server.push({ 'a.yaml': 'ill' })
    t.equal(await follower.once(), 'notReady')
    t.equal(await follower.once(), 'notReady')
    t.match(steps(), /noticed packed deployed bad restored$/)
    t.strictSame(
      deployed.map((files) => files['a.yaml']),
      ['good', 'ill', 'good'],
    )
  },
)

t.test('a newer commit ends the wait for an older one', { skip }, async (t) => {
  await using server = await startGitServer()
  const stop = new AbortController()
  const { follower, steps } = follow(t, server, {
    signal: stop.signal,
    wait: async (generation, signal) => {
      if (generation === 2) return { isReady: true, message: 'ready' }
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
      // The follower may see the commit before git has come back.
      await Promise.all([server.push({ 'a.yaml': 'two' }), aborted])
      throw signal.reason
    },
  })
  await server.push({ 'a.yaml': 'one' })
  t.equal(await follower.once(), 'superseded')
  t.equal(await follower.once(), 'ready')
  t.equal(steps(), 'noticed packed deployed superseded noticed packed deployed ready')
})

t.test('a server that cannot be reached is trouble, not a bad commit', { skip }, async (t) => {
  const server = await startGitServer()
  const { follower, events } = follow(t, server)
  await server.push({ 'a.yaml': 'one' })
  await server[Symbol.asyncDispose]()
  await t.rejects(follower.once(), { message: /app\.git: .*ECONNREFUSED/ })
  t.strictSame(events, [])
})
