// The gate: format and lint, types, generated files, then all tests; a line for each, and stops at the first failure.
// `--without-tests` leaves the tests out, for a machine that has just run them.

import { type RunResult, runTool } from './run.ts'

interface Step {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

const steps: readonly Step[] = [
  { name: 'format and lint', command: 'biome', args: ['ci', '--colors=off', '.'] },
  { name: 'types', command: 'tsc', args: [] },
  { name: 'generated files', command: 'node', args: ['scripts/generate.ts', '--check'] },
  { name: 'tests', command: 'tap', args: ['run', '--reporter=terse'] },
]

const shownLinesMax = 80

for (const step of steps) {
  if (step.name === 'tests' && process.argv.includes('--without-tests')) continue
  const result = await runTool(step.command, step.args)
  console.log(describe(step, result))
  if (result.code === 0) continue
  process.exitCode = 1
  break
}

function describe({ name, command, args }: Step, { code, output, tookMs }: RunResult): string {
  const seconds = `${(tookMs / 1000).toFixed(1)} s`
  if (code === 0) return `ok      ${name} (${seconds})`
  const lines = output.trimEnd().split('\n')
  const left = lines.length - shownLinesMax
  const more = left > 0 ? [`… ${left} lines before; all of them: npx ${[command, ...args].join(' ')}`] : []
  return [...more, ...lines.slice(-shownLinesMax), `FAILED  ${name} (${seconds})`].join('\n')
}
