import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { listRooms, readSource, repositoryRoot } from './source-files.ts'
import {
  findBannedCalls,
  findBannedNames,
  findChangelogFaults,
  findLeftovers,
  findLongFiles,
  findReadmeFaults,
} from './tidy.ts'

const code = ['src', 'bin', 'test', 'scripts', 'bench']

t.test('the repository is tidy', async (t) => {
  const files = readSource(code, ['.ts', '.js'])
  const sourceFiles = files.filter(({ path }) => path.startsWith('src/'))
  const paths = files.map(({ path }) => path)
  t.same(findBannedCalls(sourceFiles), [], 'time, chance and output come from platform/')
  t.same(findReadmeFaults(listRooms(), readSource(['src'], ['README.md'])), [], 'every room has a README')
  t.same(findLongFiles(files), [], 'no file is too long')
  t.same(findLeftovers(files), [], 'nothing is left over')
  t.same(findBannedNames(paths), [], 'names say something')
  t.same(findChangelogFaults(readFileSync(join(repositoryRoot, 'CHANGELOG.md'), 'utf8')), [])
})

const at = (text: string, path = 'src/sync/x.ts') => [{ path, text }]

t.test('findBannedCalls() names the call and its replacement', async (t) => {
  t.same(findBannedCalls(at('const a = Date.now()')), [
    'src/sync/x.ts: Date.now: use platform/clock: clock.now()',
  ])
  const banned = [
    'new Date()',
    'performance.now()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    "import { setTimeout as sleep } from 'node:timers/promises'",
    'Math.random()',
    'crypto.randomUUID()',
    'process.exit(1)',
    "console.log('x')",
  ]
  for (const text of banned) t.equal(findBannedCalls(at(text)).length, 1, text)
})

t.test('findBannedCalls() lets pass comments, platform/, and what only looks alike', async (t) => {
  const allowed = [
    '// Date.now is banned',
    ' * Math.random',
    'new Date(nowMs)',
    'socket.setTimeout(5)',
    'f() // setTimeout(',
  ]
  for (const text of allowed) t.same(findBannedCalls(at(text)), [], text)
  t.same(findBannedCalls(at('Date.now()', 'src/platform/clock.ts')), [])
  t.same(findBannedCalls(at('process.exit(1)', 'src/cli/commands/x.ts')), [])
})

t.test('findReadmeFaults() refuses a missing, a short and a long README', async (t) => {
  const readme = (lines: number) => at('line\n'.repeat(lines), 'src/sync/README.md')
  t.same(findReadmeFaults(['sync'], readme(10)), [])
  t.same(findReadmeFaults(['sync'], readme(30)), [])
  t.match(findReadmeFaults(['sync'], []), [/missing/])
  t.match(findReadmeFaults(['sync'], readme(9)), [/9 lines/])
  t.match(findReadmeFaults(['sync'], readme(31)), [/31 lines/])
})

t.test('findLongFiles() wants a reason over 400 lines and refuses over 600', async (t) => {
  const code = (lines: number) => 'line\n'.repeat(lines)
  t.same(findLongFiles(at(code(400))), [])
  t.match(findLongFiles(at(code(401))), [/401 lines/])
  t.same(findLongFiles(at(`// Reads all.\n// Long because the format is one table.\n${code(500)}`)), [])
  t.match(findLongFiles(at(`// Long because I say so.\n${code(600)}`)), [/601 lines; split it, 600/])
  t.same(findLongFiles(at(code(5000), 'src/kinds/facts/fields.ts')), [])
})

t.test('findLeftovers() names the line', async (t) => {
  const [word] = ['TO' + 'DO']
  t.match(findLeftovers(at(`const a = 1\n// ${word}: all of it`)), [/x\.ts:2/])
  t.same(findLeftovers(at('const todos = 1')), [])
})

t.test('findBannedNames() refuses names that say nothing', async (t) => {
  t.equal(findBannedNames(['src/api/util.ts', 'src/helpers/a.ts', 'test/shared.test.ts']).length, 3)
  t.same(findBannedNames(['src/api/utilisation.ts', 'src/api/status.ts']), [])
})

t.test('findChangelogFaults() wants a place for what comes next', async (t) => {
  t.same(findChangelogFaults('# Changelog\n\n## Unreleased\n'), [])
  t.equal(findChangelogFaults('# Changelog\n').length, 1)
})
