// Lets import() and require() find modules below a mount; below a mount they then live under their real path.
// Relative imports need nothing: they start from a real path already.

import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { PathMap } from './path-map.ts'

export function patchModules(paths: PathMap): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      nextResolve(mapSpecifier(specifier, context.parentURL, paths), context),
  })
}

function mapSpecifier(specifier: string, parentUrl: string | undefined, paths: PathMap): string {
  if (specifier.startsWith('/')) return paths.toReal(specifier)
  if (specifier.startsWith('file:')) return mapUrl(specifier, paths)
  // createRequire('/mount/x.js') makes a parent that is not a real path.
  if (/^\.\.?\//.test(specifier) && parentUrl?.startsWith('file:') === true) {
    const mapped = mapUrl(parentUrl, paths)
    if (mapped !== parentUrl) return fileURLToPath(new URL(specifier, mapped))
  }
  return specifier
}

function mapUrl(url: string, paths: PathMap): string {
  const parsed = new URL(url)
  const plain = fileURLToPath(parsed)
  const real = paths.toReal(plain)
  return real === plain ? url : pathToFileURL(real).href + parsed.search + parsed.hash
}
