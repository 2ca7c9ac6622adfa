// How a command's end is told to the client: the Status of remotecommand's v4 and later.

import type { Exit } from '../process/process.ts'

export function exitStatus({ exitCode }: Exit) {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}
