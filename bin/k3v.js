#!/usr/bin/env node
// The program's entry: checks Node, names the default command, hands over to oclif.
// Plain JavaScript without static imports, so that an old Node reads far enough to say what it needs.

const nodeMajorMin = 24

if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
  process.stderr.write(`k3v needs Node ${nodeMajorMin} or newer; this is Node ${process.versions.node}\n`)
  process.exit(1)
}

const { existsSync } = await import('node:fs')
const { enableCompileCache } = await import('node:module')
const { homedir } = await import('node:os')
const { join } = await import('node:path')
const { fileURLToPath } = await import('node:url')

// Compiled code is kept for the next start, in a folder that is the user's own: it is run as it is found.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'k3v', 'compiled'))

const root = fileURLToPath(new URL('..', import.meta.url))

const { flush, handle, run } = await import('@oclif/core')

// From source the commands are looked up in their folder: a manifest that is not fresh would hide the new ones.
const ignoreManifest = existsSync(new URL('../src/cli/base.ts', import.meta.url))

try {
  await run(withDefaultCommand(process.argv.slice(2)), { root, ignoreManifest })
  await flush()
} catch (error) {
  await handle(asUsageError(error instanceof Error ? error : new Error(String(error))))
}

// oclif knows no default command: `k3v --kubeconfig host.yaml` means `k3v server --kubeconfig host.yaml`.
function withDefaultCommand(args) {
  const [first, ...rest] = args
  if (first === 'help') return [...rest, '--help']
  if (first === undefined || !first.startsWith('-')) return args
  return ['--help', '-h', '--version', '-v'].includes(first) ? args : ['server', ...args]
}

// To oclif a command that does not exist is a failure; to us it is wrong usage, and nothing but its text tells.
function asUsageError(error) {
  if (error.oclif && /^command .* not found$/.test(error.message)) error.oclif.exit = 2
  return error
}
