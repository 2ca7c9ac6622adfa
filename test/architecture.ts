// The rooms of src/ in their order, and what each may import: the table of docs/ARCHITECTURE.md as data.
// `import type` counts like any import. Exceptions to the table: none.

import { posix } from 'node:path'
import type { SourceFile } from './source-files.ts'

export type RoomTable = Readonly<Record<string, readonly string[]>>

const belowPlane = [
  ...['platform', 'api', 'pki', 'egress', 'cel', 'podsecurity', 'kinds', 'crds', 'store', 'watch', 'catalog'],
  ...['authn', 'authz', 'admission', 'server', 'client', 'reconcile', 'controllers', 'sync', 'dns'],
  ...['packages', 'deploy', 'gitops', 'node'],
]

// A room may import the rooms beside it here, which must stand above it.
export const mayImport: RoomTable = {
  platform: [],
  api: [],
  pki: ['api', 'platform'],
  egress: ['api', 'platform'],
  cel: ['api'],
  podsecurity: ['api'],
  kinds: ['api', 'cel'],
  crds: ['api', 'cel', 'egress', 'kinds'],
  store: ['platform'],
  watch: ['api', 'platform', 'store'],
  catalog: ['api', 'crds', 'kinds', 'platform', 'store', 'watch'],
  authn: ['api', 'egress', 'pki', 'platform'],
  authz: ['api', 'egress', 'pki', 'platform'],
  admission: ['api', 'cel', 'egress', 'platform', 'podsecurity'],
  server: ['api', 'admission', 'authn', 'authz', 'catalog', 'egress', 'kinds', 'platform', 'watch'],
  client: ['api', 'platform'],
  reconcile: ['api', 'client', 'platform'],
  controllers: ['api', 'client', 'crds', 'pki', 'platform', 'reconcile'],
  sync: ['api', 'client', 'platform', 'podsecurity', 'reconcile'],
  dns: ['api', 'client', 'platform'],
  packages: ['api', 'cel', 'egress', 'platform'],
  deploy: ['api', 'cel', 'client', 'packages', 'platform'],
  gitops: ['api', 'client', 'deploy', 'egress', 'packages', 'platform', 'reconcile'],
  node: ['api', 'client', 'platform', 'reconcile'],
  plane: belowPlane,
  cli: ['api', 'client', 'deploy', 'gitops', 'node', 'packages', 'plane', 'platform'],
}

/** Rows that name a room which does not stand above them: without any, the table can hold no cycle. */
export function findRowsOutOfOrder(table: RoomTable): readonly string[] {
  const order = Object.keys(table)
  return Object.entries(table).flatMap(([room, allowed]) =>
    allowed
      .filter((other) => !order.slice(0, order.indexOf(room)).includes(other))
      .map((other) => `${room} names ${other}, which does not stand above it`),
  )
}

/** Imports below src/ that the table does not allow, one sentence each. */
export function findForbiddenImports(files: readonly SourceFile[], table: RoomTable): readonly string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path)
    return importsOf(file).flatMap((target) => {
      const other = roomOf(target)
      if (other === undefined) return [`${file.path}: src may not import ${target}`]
      if (room === undefined || room === other || table[room]?.includes(other)) return []
      return [`${file.path}: ${room} may not import ${other}`]
    })
  })
}

// Static imports, re-exports, `import()`, `import.meta.resolve()` and worker URLs: all name a file the same way.
const relativeImport =
  /(?:\bfrom\s*|\bimport\s*|\bimport\s*\(\s*|\bresolve\s*\(\s*|\bnew\s+URL\s*\(\s*)(['"])(\.\.?\/[^'"]*)\1/g

function importsOf({ path, text }: SourceFile): readonly string[] {
  const specifiers = [...text.matchAll(relativeImport)].map((match) => match[2] ?? '')
  return specifiers
    .map((specifier) => posix.join(posix.dirname(path), specifier))
    .filter((target) => !isPackageFile(target))
}

// The version is read from package.json, templates from their folder: neither is a room.
function isPackageFile(target: string): boolean {
  return /^(package\.json$|dist\/|templates\/|packages-registry\/|bin\/)/.test(target)
}

function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)(\/|$)/.exec(path)?.[1]
}
