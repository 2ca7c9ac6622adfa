import { type Command, Config, Flags, Parser } from '@oclif/core'
import t from 'tap'
import { repositoryRoot } from '../source-files.ts'

// As bin/k3v.js does: a first argument that is a flag belongs to `server`.
const defaultCommand = 'server'

const config = await Config.load({ root: repositoryRoot, ignoreManifest: true })

for (const listed of config.commands) {
  t.test(`k3v ${listed.id}: the examples of its help are what it understands`, async (t) => {
    const examples = (listed.examples ?? []).map(String)
    t.ok(examples.length > 0, 'it has examples')
    t.ok(listed.summary?.endsWith('.'), 'its summary is a sentence')
    for (const example of examples) {
      const { name, words } = commandOf(example)
      const command = config.findCommand(name, { must: true })
      t.ok(listed.id === name || listed.id === 'create', `${example} shows the command`)
      await t.resolves(parse(await command.load(), words), example)
    }
  })
}

function commandOf(example: string): { readonly name: string; readonly words: readonly string[] } {
  const text = example.replace('<%= config.bin %> ', '').split(' > ')[0] ?? ''
  const rest = text.split(' ')
  const [first = ''] = rest
  return first.startsWith('-') ? { name: defaultCommand, words: rest } : { name: first, words: rest.slice(1) }
}

function parse(command: Command.Class, words: readonly string[]): Promise<unknown> {
  const { args, flags, baseFlags, strict } = command
  // oclif adds --json when it reads the command's list of flags, not to the class.
  const json = command.enableJsonFlag ? { json: Flags.boolean() } : {}
  const allFlags = { ...json, ...baseFlags, ...flags }
  return Parser.parse([...words], { args, flags: allFlags, strict, '--': true })
}
