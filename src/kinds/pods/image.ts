// What an image reference says about its tag: "latest" and no tag at all are pulled each time.
// Upstream: pkg/util/parsers over the distribution project's reference grammar.

const domain =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?'
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const pattern = new RegExp(
  `^(?:${domain}/)?${component}(?:/${component})*(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
)

/** Longer references are no references; the bound keeps the pattern cheap. */
const referenceCharactersMax = 4096

/** False for a reference that cannot be read: validation or the pull will say so. */
export function isLatest(reference: string): boolean {
  if (reference.length > referenceCharactersMax) return false
  const groups = pattern.exec(reference)?.groups
  if (groups === undefined) return false
  return groups['tag'] === undefined ? groups['digest'] === undefined : groups['tag'] === 'latest'
}
