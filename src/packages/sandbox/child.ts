// The program in the sandbox: the only place where a package's templates and schemas become code.
// It has no file, network, child process or environment; sandbox.ts starts it and ends it.

import { checkData } from './check.ts'
import type { SandboxAnswer, SandboxRequest } from './protocol.ts'
import { renderTemplates } from './templates.ts'

let input = ''
process.stdin.setEncoding('utf8')
for await (const piece of process.stdin) input += piece
process.stdout.write(JSON.stringify(answer(JSON.parse(input) as SandboxRequest)))

function answer(request: SandboxRequest): SandboxAnswer {
  return request.operation === 'check' ? checkData(request) : renderTemplates(request)
}
