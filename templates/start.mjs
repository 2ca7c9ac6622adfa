// Starts k3v in its pod: the program comes in pieces, as files of mounted Secrets, and runs once it is proved whole.
// Mounted from the release's root ConfigMap; needs nothing but Node.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

const pieces = process.env.K3V_PROGRAM_PIECES ?? '/k3v/program'
const folder = process.env.K3V_PROGRAM_FOLDER ?? '/tmp/k3v-program'
const digest = process.env.K3V_PROGRAM_DIGEST

const names = readdirSync(pieces)
  .filter((name) => name.startsWith('piece-'))
  .sort()
const packed = Buffer.concat(names.map((name) => readFileSync(join(pieces, name))))
const found = createHash('sha256').update(packed).digest('hex')
if (found !== digest) throw new Error(`the program in ${pieces} is ${found}, not ${digest}`)

mkdirSync(folder, { recursive: true })
for (const [name, base64] of Object.entries(JSON.parse(gunzipSync(packed).toString('utf8')))) {
  writeFileSync(join(folder, name), Buffer.from(base64, 'base64'))
}
await import(pathToFileURL(join(folder, 'plane.mjs')).href)
