// `$(NAME)` in commands, arguments and variables; `$$` is a dollar; what is not known stays as it is.
// Upstream: third_party/forked/golang/expansion.

export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$'
    const value = name === undefined ? undefined : variables[name]
    return value ?? whole
  })
}
