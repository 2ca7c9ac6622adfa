// The list of commands that the published package starts from, so that `k3v --help` loads none of them.
// Without `relativePath` and `isESM`, which name the .ts file: one manifest then fits source and package alike.

import { Config } from '@oclif/core'
import type { Generator } from '../generate.ts'

export const oclifManifest: Generator = async (root) => {
  const config = await Config.load({ root, ignoreManifest: true, errorOnManifestCreate: true })
  const version = config.pjson.version
  const commands = config.commands
    .map(({ load, relativePath, isESM, permutations, ...command }) => [command.id, command] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  const manifest = { commands: Object.fromEntries(commands), version }
  return new Map([['oclif.manifest.json', `${JSON.stringify(manifest, null, 2)}\n`]])
}
