import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { installPackage } from './installed.ts'

const installed = await installPackage()
t.teardown(() => installed[Symbol.asyncDispose]())

t.test('the package holds JavaScript only', async (t) => {
  const files = await readdir(installed.package, { recursive: true })
  t.same(
    files.filter((path) => /\.ts$|^(test|scripts)/.test(path)),
    [],
  )
  for (const path of ['dist/plane.mjs', 'dist/store-worker.mjs', 'dist/descriptions.json.gz'])
    t.ok(files.includes(path), path)
  for (const path of ['templates/start.mjs', 'src/cli/commands/deploy.js', 'LICENSE', 'SECURITY.md'])
    t.ok(files.includes(path), path)
})

t.test('--version and the help of every command', async (t) => {
  t.match(await installed.k3v(['--version']), { code: 0, stdout: /^k3v\/\d+\.\d+\.\d+ / })
  const { stdout } = await installed.k3v(['--help'])
  for (const name of ['deploy', 'host', 'pack', 'server']) t.match(stdout, new RegExp(`^ +${name} `, 'm'))
  t.match(await installed.k3v(['deploy', '--help']), { code: 0, stdout: /EXAMPLES/ })
})

t.test('an old Node is told in one line which one is needed', async (t) => {
  const pretend = 'Object.defineProperty(process.versions, "node", { value: "20.19.0" })'
  const preload = `--import=data:text/javascript,${encodeURIComponent(pretend)}`
  const { code, stderr } = await installed.k3v(['--version'], [preload])
  t.equal(code, 1)
  t.equal(stderr, 'k3v needs Node 24 or newer; this is Node 20.19.0\n')
})

t.test('packs an app, starts a host, and deploys to it', async (t) => {
  const app = join(installed.package, 'packages-registry', 'guestbook')
  const packed = await installed.k3v(['pack', app, '-o', 'app.tgz'])
  t.equal(packed.code, 0, packed.stderr)

  const kubeconfig = join(installed.folder, 'host.yaml')
  const host = installed.start(['host', '--listen-port', '0', '--write-kubeconfig', kubeconfig])
  const exited = once(host, 'exit')
  t.teardown(async () => {
    host.kill('SIGTERM')
    await exited
  })
  const [line] = (await once(host.stderr as NodeJS.ReadableStream, 'data')) as [Buffer]
  t.match(String(line), /https:\/\/127\.0\.0\.1:\d+/)

  const flags = ['--kubeconfig', kubeconfig, '-n', 'default']
  const deployed = await installed.k3v(['deploy', 'app.tgz', ...flags, '--timeout', '45s'])
  t.equal(deployed.code, 0, deployed.stderr)
  t.match(await installed.k3v(['list', ...flags]), { code: 0, stdout: /guestbook/ })
  t.match(await installed.k3v(['delete', 'guestbook', ...flags]), { code: 0 })
})
