import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const entry = fileURLToPath(new URL('../../bin/k3v.js', import.meta.url))

function k3v(args: readonly string[], preload: readonly string[] = []) {
  // tap's own loaders would follow into the child.
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [...preload, entry, ...args], {
    encoding: 'utf8',
    env,
  })
  return { status, stdout, stderr }
}

t.test('k3v --version and -v print name and version', async (t) => {
  for (const flag of ['--version', '-v']) {
    const { status, stdout } = k3v([flag])
    t.equal(status, 0)
    t.match(stdout, /^k3v\/\d+\.\d+\.\d+ /)
  }
})

t.test('k3v, --help, -h and help print the help', async (t) => {
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { status, stdout } = k3v(args)
    t.equal(status, 0)
    t.match(stdout, /USAGE/)
  }
})

t.test('wrong usage exits with 2 and without a stack', async (t) => {
  for (const args of [['no-such-command'], ['--no-such-flag']]) {
    const { status, stderr } = k3v(args)
    t.equal(status, 2, args.join(' '))
    t.notMatch(stderr, /\n\s+at /)
  }
})

t.test('an old Node is told which one is needed, in one line', async (t) => {
  const pretend = 'Object.defineProperty(process.versions, "node", { value: "20.19.0" })'
  const preload = `--import=data:text/javascript,${encodeURIComponent(pretend)}`
  const { status, stdout, stderr } = k3v(['--version'], [preload])
  t.equal(status, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'k3v needs Node 24 or newer; this is Node 20.19.0\n')
})
