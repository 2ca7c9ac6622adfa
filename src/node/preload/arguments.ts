// The arguments of a Node process, with the paths that Node itself reads mapped to where they really are.
// Arguments of the program stay as they are.

const flagsWithValue = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
  '--env-file',
  '--env-file-if-exists',
  '--input-type',
  '--eval',
  '-e',
  '--print',
  '-p',
  '-pe',
  '--title',
  '--inspect-port',
  '--diagnostic-dir',
  '--cpu-prof-dir',
  '--heap-prof-dir',
  '--openssl-config',
  '--icu-data-dir',
  '--watch-path',
  '--test-reporter',
  '--test-name-pattern',
])
const evalFlags = new Set(['--eval', '-e', '--print', '-p', '-pe'])

/** `args` without the program's own name in front. */
export function mapNodeArguments(args: readonly string[], toReal: (path: string) => string): string[] {
  const mapped = [...args]
  for (let at = 0; at < mapped.length; at += 1) {
    const arg = mapped[at] ?? ''
    if (evalFlags.has(arg) || arg === '-' || arg.startsWith('--eval=')) return mapped
    if (arg === '--') {
      if (at + 1 < mapped.length) mapped[at + 1] = toReal(mapped[at + 1] ?? '')
      return mapped
    }
    if (!arg.startsWith('-')) {
      mapped[at] = toReal(arg)
      return mapped
    }
    mapped[at] = mapFlag(arg, toReal)
    if (flagsWithValue.has(arg) && at + 1 < mapped.length) {
      at += 1
      mapped[at] = toReal(mapped[at] ?? '')
    }
  }
  return mapped
}

function mapFlag(flag: string, toReal: (path: string) => string): string {
  const at = flag.indexOf('=')
  return at === -1 ? flag : flag.slice(0, at + 1) + toReal(flag.slice(at + 1))
}
