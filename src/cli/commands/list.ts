// `k3v list`: the releases of a namespace, or of all that the user may read.
// What a release is stands in deploy/releases.ts.

import { Flags } from '@oclif/core'
import { HostCommand, hostFlags } from '../host-command.ts'

export default class List extends HostCommand {
  static override summary = 'List releases on the host.'
  static override examples = [
    '<%= config.bin %> list -n team-a',
    '<%= config.bin %> list --all-namespaces --json',
  ]

  static override flags = {
    ...hostFlags,
    'all-namespaces': Flags.boolean({ char: 'A', description: 'in all namespaces' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(List)
    const { client: host, namespace } = await this.connectHost(flags)
    const { listReleases } = await import('../../deploy/releases.ts')
    try {
      const releases = await listReleases(host, {
        namespace: flags['all-namespaces'] ? undefined : namespace,
      })
      if (releases.length === 0)
        this.log(`no releases in ${flags['all-namespaces'] ? 'any namespace' : namespace}`)
      else
        this.log(
          table([['NAMESPACE', 'NAME', 'PACKAGE', 'VERSION', 'PHASE', 'MESSAGE'], ...releases.map(row)]),
        )
      return { releases }
    } finally {
      await host[Symbol.asyncDispose]()
    }
  }
}

interface Row {
  readonly namespace: string
  readonly name: string
  readonly package: string
  readonly version: string
  readonly phase: string
  readonly message: string
}

const row = ({ namespace, name, package: packed, version, phase, message }: Row): readonly string[] => [
  namespace,
  name,
  packed || '-',
  version || '-',
  phase,
  message,
]

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd()
  return rows.map(line).join('\n')
}
