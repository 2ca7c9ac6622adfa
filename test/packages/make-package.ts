// A small package for tests: files as text, and a proof that takes everything.

import { type PackageFiles, packageFiles } from '../../src/packages/files.ts'
import type { PackOptions } from '../../src/packages/pack.ts'
import type { Prove } from '../../src/packages/proof.ts'
import { createSandbox } from '../../src/packages/sandbox/sandbox.ts'

export const sandbox = createSandbox({ timeoutMs: 20_000 })

export const manifestText = (sources = '[{ manifests: manifests }]', more = ''): string =>
  `apiVersion: k3v.dev/v1
kind: Package
metadata: { name: sample, version: 1.2.3 }
spec:
  sources: ${sources}
${more}`

export const configMapText = (name = 'a', data = 'x: y'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { ${data} }\n`

export function filesOf(texts: Readonly<Record<string, string>>): PackageFiles {
  return packageFiles(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)] as const))
}

export const takesAll: Prove = async ({ objects }) => ({
  accepted: objects.length,
  refused: [],
  notReady: [],
  unproved: [],
})

export const program = new Map([['plane.mjs', Buffer.from('export {}\n')]])

export const packOptions = (files: PackageFiles): PackOptions => ({
  files,
  sandbox,
  prove: takesAll,
  program: async () => program,
  tools: { k3v: '0.0.0' },
})
