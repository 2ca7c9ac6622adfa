// Which names a release may have: what fits into every host name that is made of it.
// Making those names is release-names.ts's.

// A StatefulSet's pods carry its name and a revision's hash in one label of 63 characters.
const nameMax = 40

/** What is wrong with the name; undefined when nothing is. */
export function labelProblem(name: string): string | undefined {
  if (name.length > nameMax) return `at most ${nameMax} characters`
  if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name))
    return 'lower-case letters, digits and inner hyphens, a letter first'
  return undefined
}
