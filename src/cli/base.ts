// What every command has in common: --json, exit codes, progress that stays out of the output.
// What a command does is one call into another room; this file never starts a plane.

import { Command, Errors } from '@oclif/core'

export const exitCodes = { ok: 0, failed: 1, usage: 2, notReady: 3 } as const

export interface FailureOptions {
  /** 1 unless given: oclif's own default is set to that in package.json, which also lists its usage errors as 2. */
  readonly exit?: (typeof exitCodes)[keyof typeof exitCodes]
  /** What to try next, a line each. */
  readonly suggestions?: readonly string[]
}

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  /** Ends the command with one line on standard error; under --json with an error document on standard output. */
  protected fail(message: string, { exit = exitCodes.failed, suggestions = [] }: FailureOptions = {}): never {
    this.error(message, { exit, suggestions: [...suggestions] })
  }

  /** Says what is going on, to a person: on standard error, and only when that is a terminal. */
  protected progress(message: string): void {
    if (process.stderr.isTTY && !this.jsonEnabled()) process.stderr.write(`${message}\n`)
  }

  /** One line a failure, as kubectl writes it: no class names, no wrapping, no stack unless DEBUG asks for it. */
  protected override async catch(error: Error): Promise<unknown> {
    if (this.jsonEnabled() || error instanceof Errors.ExitError) return super.catch(error)
    const { exit, suggestions = [] } = describe(error)
    const lines = [`error: ${error.message}`, ...suggestions.map((suggestion) => `  ${suggestion}`)]
    if (process.env['DEBUG'] !== undefined && error.stack !== undefined) lines.push(error.stack)
    process.stderr.write(`${lines.join('\n')}\n`)
    return this.exit(exit)
  }

  // oclif would print every property that an error happens to have.
  protected override toErrorJson(error: unknown): { error: ErrorDocument } {
    const { exit, code, suggestions } = describe(error)
    const message = error instanceof Error ? error.message : String(error)
    return {
      error: { message, exit, ...(code && { code }), ...(suggestions?.length && { suggestions }) },
    }
  }
}

interface ErrorDocument {
  readonly message: string
  readonly exit: number
  readonly code?: string
  readonly suggestions?: readonly string[]
}

interface OclifError {
  readonly oclif?: { readonly exit?: number }
  readonly code?: string
  readonly suggestions?: readonly string[]
}

function describe(error: unknown): { exit: number; code?: string; suggestions?: readonly string[] } {
  if (!(error instanceof Error)) return { exit: exitCodes.failed }
  const { oclif, code, suggestions } = error as Error & OclifError
  // Whatever the parser refuses is wrong usage; oclif lets only some of its refusals be given a code.
  const isUsage = 'parse' in error
  return {
    exit: isUsage ? exitCodes.usage : (oclif?.exit ?? exitCodes.failed),
    ...(typeof code === 'string' && { code }),
    ...(suggestions && { suggestions }),
  }
}
