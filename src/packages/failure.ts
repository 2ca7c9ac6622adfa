// What is wrong with a package, told so that it can be mended: file, line, field, and what to do.
// Printing is the command's work.

export interface Problem {
  /** A path inside the package, with `/`. */
  readonly file: string
  readonly line?: number | undefined
  /** Counted from 1; said when the file holds more than one. */
  readonly document?: number | undefined
  /** What the message is about, as API servers write it: `spec.containers[0].name`. */
  readonly field?: string | undefined
  readonly message: string
}

/** `manifests/web.yaml:12: document 2: spec.replicas: …` */
export function describeProblem({ file, line, document, message }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`
  return `${place}: ${document === undefined ? '' : `document ${document}: `}${message}`
}

/** A package that cannot be taken as it is. The message holds every problem, a line each. */
export class PackageError extends Error {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(describeProblem).join('\n'), options)
    this.name = 'PackageError'
    this.problems = problems
  }
}

/** The common case of one problem. */
export function packageError(
  file: string,
  message: string,
  at: { readonly line?: number | undefined } = {},
): PackageError {
  return new PackageError([{ file, message, ...at }])
}
