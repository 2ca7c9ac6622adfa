// Finds Kubernetes' own source on this machine, for tests that compare with it when it is there.
// Nothing is downloaded: without Go, or before scripts/facts was run once, such a test is skipped.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { facts } from '../../src/kinds/facts/schema.ts'

/** The folder of a module such as `k8s.io/api`, or the reason why there is none. */
export function goModule(name: string): { readonly folder: string } | { readonly reason: string } {
  const version = facts.kubernetes.replace('v1.', 'v0.')
  try {
    const cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim()
    const folder = join(cache, `${name}@${version}`)
    return existsSync(folder) ? { folder } : { reason: `${name}@${version} is not in the Go module cache` }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { reason: 'Go is not installed' }
    throw error
  }
}
