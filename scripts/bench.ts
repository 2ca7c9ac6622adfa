// Runs the files of bench/ one after the other, or those named: `npm run bench -- start list`.
// Each file asks one question in its first line, and prints its own answer.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot, runTool } from './run.ts'

const folder = join(repositoryRoot, 'bench')
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ts')) : []
const wanted = process.argv.slice(2).map((name) => `${name.replace(/\.ts$/, '')}.ts`)
const unknown = wanted.filter((name) => !files.includes(name))

if (files.length === 0) {
  console.error('nothing to measure: bench/ holds no files yet')
  process.exitCode = 1
} else if (unknown.length > 0) {
  console.error(`no such question: ${unknown.join(', ')}; there are: ${files.join(', ')}`)
  process.exitCode = 2
} else {
  await runAll(wanted.length > 0 ? wanted : files.sort())
}

async function runAll(names: readonly string[]): Promise<void> {
  for (const name of names) {
    console.log(`== ${name}`)
    const { code } = await runTool('node', [`bench/${name}`], { isShown: true })
    if (code !== 0) process.exitCode = 1
  }
}
