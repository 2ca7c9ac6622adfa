// The program in the sandbox: the only place where a package's templates and schemas become code.
// It has no file, network, child process or environment; sandbox.ts starts it and ends it.

import type { SandboxAnswer, SandboxRequest } from './protocol.ts'

let input = ''
process.stdin.setEncoding('utf8')
for await (const piece of process.stdin) input += piece
const request = JSON.parse(input) as SandboxRequest
const answer = await prepare(request)
// The budget of what follows counts from here, not from when a busy machine got round to starting this.
process.stdout.write('\n')
process.stdout.write(JSON.stringify(answer()))

/** Each question loads what it needs and no more. */
async function prepare(asked: SandboxRequest): Promise<() => SandboxAnswer> {
  if (asked.operation === 'check') {
    const { checkData } = await import('./check.ts')
    return () => checkData(asked)
  }
  const { renderTemplates } = await import('./templates.ts')
  return () => renderTemplates(asked)
}
