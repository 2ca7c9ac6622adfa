// The rules of docs/STYLE.md that a program can judge and the linter does not know: pure functions over file texts.
// Each answers one sentence for each fault, with what to do instead; an empty answer is a tidy repository.

import { posix } from 'node:path'
import { isGenerated, type SourceFile } from './source-files.ts'

interface BannedCall {
  readonly pattern: RegExp
  readonly name: string
  readonly instead: string
  readonly isAllowedIn: (path: string) => boolean
}

const inPlatform = (path: string) => path.startsWith('src/platform/')
const nowhere = () => false

const bannedCalls: readonly BannedCall[] = [
  {
    name: 'Date.now',
    pattern: /\bDate\.now\b/,
    instead: 'platform/clock: clock.now()',
    isAllowedIn: inPlatform,
  },
  {
    name: 'new Date()',
    pattern: /\bnew Date\(\s*\)/,
    instead: 'new Date(clock.now())',
    isAllowedIn: inPlatform,
  },
  {
    name: 'performance.now',
    pattern: /\bperformance\.now\b/,
    instead: 'platform/clock: clock.monotonic()',
    isAllowedIn: inPlatform,
  },
  {
    name: 'setTimeout',
    pattern: /(?<![.\w])setTimeout\s*\(/,
    instead: 'platform/clock: clock.setTimer() or clock.sleep()',
    isAllowedIn: inPlatform,
  },
  {
    name: 'setInterval',
    pattern: /(?<![.\w])setInterval\s*\(/,
    instead: 'platform/clock: clock.setTimer(), set again when it has fired',
    isAllowedIn: inPlatform,
  },
  {
    name: 'node:timers/promises',
    pattern: /['"](node:)?timers\/promises['"]/,
    instead: 'platform/clock: clock.sleep()',
    isAllowedIn: inPlatform,
  },
  {
    name: 'Math.random',
    pattern: /\bMath\.random\b/,
    instead: 'platform/random: random.fraction()',
    isAllowedIn: inPlatform,
  },
  {
    name: 'randomUUID',
    pattern: /\brandomUUID\b/,
    instead: 'platform/random: random.uuid()',
    isAllowedIn: inPlatform,
  },
  {
    name: 'process.exit',
    pattern: /\bprocess\.exit\s*\(/,
    instead: 'platform/shutdown, or process.exitCode; only src/cli and bin may end the process',
    isAllowedIn: (path) => path.startsWith('src/cli/'),
  },
  {
    name: 'console',
    pattern: /(?<![.\w])console\.(log|info|warn|error|debug)\s*\(/,
    instead: 'platform/log: a logger that was handed in',
    isAllowedIn: nowhere,
  },
]

/** Rule one, over src/: time, chance, logging and the end of the process come from platform/. */
export function findBannedCalls(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const code = withoutComments(text)
    return bannedCalls
      .filter(({ pattern, isAllowedIn }) => !isAllowedIn(path) && pattern.test(code))
      .map(({ name, instead }) => `${path}: ${name}: use ${instead}`)
  })
}

const readmeLines = { min: 10, max: 30 } as const

/** Rule two: every room says in a README of 10 to 30 lines what it is. */
export function findReadmeFaults(
  rooms: readonly string[],
  readmes: readonly SourceFile[],
): readonly string[] {
  return rooms.flatMap((room) => {
    const path = `src/${room}/README.md`
    const readme = readmes.find((file) => file.path === path)
    if (readme === undefined) return [`${path}: missing; say in 10 to 30 lines what the room is`]
    const lines = countLines(readme.text)
    if (lines >= readmeLines.min && lines <= readmeLines.max) return []
    return [`${path}: ${lines} lines; aim at ${readmeLines.min} to ${readmeLines.max}`]
  })
}

const fileLinesFree = 400
const fileLinesMax = 600
// The header of a long file says "long because …" or "400 lines because …".
const headerLinesMax = 12

/** Rule three: over 400 lines the header says why, over 600 there is no why. */
export function findLongFiles(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const lines = countLines(text)
    if (isGenerated(path) || lines <= fileLinesFree) return []
    if (lines > fileLinesMax) return [`${path}: ${lines} lines; split it, ${fileLinesMax} is the end`]
    const header = text.split('\n', headerLinesMax).filter((line) => line.startsWith('//'))
    if (/\blong\b.*\bbecause\b/i.test(header.join(' '))) return []
    return [`${path}: ${lines} lines; split it, or say in its header "Long because …"`]
  })
}

// Put together here, so that this file passes its own rule.
const leftover = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b(?!')`)

/** Rule four: nothing is left over; what is missing stands in CHANGELOG or docs, or is a refusal with a name. */
export function findLeftovers(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const found = leftover.exec(line)?.[1]
      return found === undefined
        ? []
        : [`${path}:${index + 1}: ${found}: do it, or refuse it with a named error`]
    }),
  )
}

const bannedNames = new Set(['util', 'utils', 'common', 'helper', 'helpers', 'shared', 'misc', 'types'])

/** Rule five: a file or folder is named for what it is. */
export function findBannedNames(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const names = path.split('/').map((part) => posix.basename(part).replace(/\..*$/, ''))
    const banned = names.find((name) => bannedNames.has(name))
    return banned === undefined ? [] : [`${path}: "${banned}" says nothing; name it for what it holds`]
  })
}

/** The change log has a place for what comes next. */
export function findChangelogFaults(text: string): readonly string[] {
  return /^## \[?Unreleased\]?/m.test(text) ? [] : ['CHANGELOG.md: needs a heading "## Unreleased"']
}

// Good enough for our own style, where a comment stands on its own line or begins with a star.
function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
    .map((line) => line.replace(/\s\/\/ .*$/, ''))
    .join('\n')
}

function countLines(text: string): number {
  return text.trimEnd().split('\n').length
}
