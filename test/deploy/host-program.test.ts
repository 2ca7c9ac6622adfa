import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { packPayload, unpackPayload } from '../../src/deploy/payload.ts'
import { digestOf, fromSecrets, toSecrets } from '../../src/deploy/pieces.ts'
import { packProgram } from '../../src/deploy/program.ts'
import { payload } from './host-plane.ts'

const start = fileURLToPath(new URL('../../templates/start.mjs', import.meta.url))
const keep = { release: 'shop', prefix: 'k3v-shop', part: 'program', what: 'program' } as const

const files = new Map([
  ['plane.mjs', Buffer.from("import { word } from './other.mjs'\nprocess.stdout.write(word)\n")],
  ['other.mjs', Buffer.from("export const word = 'started'\n")],
])

function boot(folder: string, digest: string) {
  copyFileSync(start, join(folder, 'start.mjs'))
  const env = {
    K3V_PROGRAM_PIECES: join(folder, 'pieces'),
    K3V_PROGRAM_FOLDER: join(folder, 'program'),
    K3V_PROGRAM_DIGEST: digest,
  }
  return spawnSync(process.execPath, [join(folder, 'start.mjs')], { env, encoding: 'utf8' })
}

t.test('the pod puts the pieces together and starts the program', async (t) => {
  const bytes = packProgram(files)
  const folder = t.testdir({
    pieces: { 'piece-001': bytes.subarray(100), 'piece-000': bytes.subarray(0, 100) },
  })
  const { stdout, stderr } = boot(folder, digestOf(bytes))
  t.equal(stderr, '')
  t.equal(stdout, 'started')
})

t.test('a program that is not the one that was deployed does not start', async (t) => {
  const bytes = packProgram(files)
  const folder = t.testdir({ pieces: { 'piece-000': bytes.subarray(0, 100) } })
  const { status, stdout, stderr } = boot(folder, digestOf(bytes))
  t.equal(status, 1)
  t.equal(stdout, '')
  t.match(stderr, `not ${digestOf(bytes)}`)
})

t.test('the same program packs to the same bytes, whatever the order of its files', async (t) => {
  const reversed = new Map([...files].reverse())
  t.ok(packProgram(files).equals(packProgram(reversed)))
  t.throws(() => packProgram(new Map()), { message: /no plane\.mjs/ })
})

t.test('bytes are cut into Secrets below one MiB, and come back whole or not at all', async (t) => {
  const bytes = Buffer.alloc(2_000_000, 'k3v')
  const secrets = toSecrets(bytes, keep)
  t.equal(secrets.length, 3)
  for (const { data = {}, immutable } of secrets) {
    t.equal(immutable, true)
    for (const text of Object.values(data)) t.ok(Buffer.from(String(text), 'base64').length < 1024 * 1024)
  }
  t.ok(fromSecrets([...secrets].reverse(), digestOf(bytes)).equals(bytes))
  t.throws(() => fromSecrets(secrets.slice(1), digestOf(bytes)), { message: /the pieces have the digest/ })
})

t.test('other bytes have other names, so that Secrets can be immutable', async (t) => {
  const [one] = toSecrets(Buffer.from('one'), keep)
  const [other] = toSecrets(Buffer.from('other'), keep)
  t.not(one?.metadata.name, other?.metadata.name)
})

t.test('more than 16 MiB is refused with its size', async (t) => {
  t.throws(() => toSecrets(Buffer.alloc(17 * 1024 * 1024), keep), { message: /the program is 17\.0 MiB/ })
})

t.test('a payload survives its journey', async (t) => {
  t.strictSame(unpackPayload(packPayload(payload('1.0.0'))), payload('1.0.0'))
})
