// Completion scripts of bash, zsh and fish: first the command, then its flags, else files.
// All of it stands in the script: completing starts no process.

export const shells = ['bash', 'zsh', 'fish'] as const

export interface CompletedCommand {
  readonly name: string
  /** With their dashes. */
  readonly flags: readonly string[]
}

export function completionScript(shell: string, commands: readonly CompletedCommand[]): string {
  const sorted = [...commands].sort((one, other) => (one.name < other.name ? -1 : 1))
  if (shell === 'fish') return fishScript(sorted)
  // zsh reads completions written for bash once it is told to.
  const start = shell === 'zsh' ? 'autoload -U +X compinit bashcompinit\ncompinit -u\nbashcompinit\n' : ''
  return start + bashScript(sorted)
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, flags }) => `    ${name}) words='${flags.join(' ')}' ;;`)
  return `_k3v() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$current"))
    return
  fi
  case "$current" in -*) ;; *) return ;; esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _k3v k3v
`
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => `complete -c k3v -n __fish_use_subcommand -f -a ${name}`)
  const flags = commands.flatMap((command) =>
    command.flags.map(
      (flag) => `complete -c k3v -n '__fish_seen_subcommand_from ${command.name}' -l ${flag.slice(2)}`,
    ),
  )
  return `${[...names, ...flags].join('\n')}\n`
}
