// `k3v completion`: the script that a shell reads to complete k3v's commands and flags.
// How a shell wants it told is completion-script.ts's.

import { Args } from '@oclif/core'
import { BaseCommand } from '../base.ts'
import { type CompletedCommand, completionScript, shells } from '../completion-script.ts'

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion of k3v for a shell.'
  static override description =
    'For this session: `source <(k3v completion bash)`, the same with zsh, or `k3v completion fish | source`. ' +
    'For all sessions, put that line into the file that your shell reads when it starts.'

  static override examples = [
    '<%= config.bin %> completion bash',
    '<%= config.bin %> completion zsh > k3v.zsh',
    '<%= config.bin %> completion fish > k3v.fish',
  ]

  static override args = {
    shell: Args.string({ description: 'the shell', required: true, options: shells }),
  }

  async run(): Promise<unknown> {
    const { args } = await this.parse(Completion)
    const commands = this.config.commands.filter(({ hidden }) => !hidden).map(describe)
    const script = completionScript(args.shell, commands)
    this.log(script.trimEnd())
    return { shell: args.shell, script }
  }
}

interface Listed {
  readonly id: string
  readonly flags: Readonly<Record<string, { readonly type: string; readonly allowNo?: boolean | undefined }>>
}

function describe({ id, flags }: Listed): CompletedCommand {
  const names = Object.entries(flags).flatMap(([name, { allowNo }]) =>
    allowNo ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  )
  return { name: id, flags: [...names, '--help'].sort() }
}
