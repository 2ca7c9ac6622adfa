import { spawnSync } from 'node:child_process'
import t from 'tap'
import { k3v } from './command-host.ts'

/** What bash offers for the words typed so far; the last is being typed. */
function offered(script: string, words: readonly string[]): readonly string[] {
  const typed = words.map((word) => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _k3v; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = spawnSync('bash', ['--norc', '-c', `${script}\n${ask}`], { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => line !== '')
}

t.test('bash completes commands and their flags, and leaves files to itself', async (t) => {
  const { code, stdout } = await k3v(['completion', 'bash'])
  t.equal(code, 0)
  t.same(offered(stdout, ['k3v', 'kube']), ['kubeconfig', 'kubectl'])
  t.same(offered(stdout, ['k3v', 'deploy', '--share']), ['--share-namespace'])
  t.same(offered(stdout, ['k3v', 'deploy', '--no-w']), ['--no-wait'])
  t.same(offered(stdout, ['k3v', 'deploy', 'app']), [])
  t.same(offered(stdout, ['k3v', 'nope', '--']), [])
})

t.test('zsh and fish get theirs; another shell is wrong usage', async (t) => {
  t.match(await k3v(['completion', 'zsh']), { code: 0, stdout: /^autoload .*bashcompinit\n/ })
  const fish = await k3v(['completion', 'fish'])
  t.match(fish.stdout, /^complete -c k3v -n __fish_use_subcommand -f -a deploy$/m)
  t.match(fish.stdout, /^complete -c k3v -n '__fish_seen_subcommand_from deploy' -l share-namespace$/m)
  t.match(await k3v(['completion', 'tcsh']), { code: 2, stdout: '', stderr: /bash, zsh, fish/ })
})
