// Which images the embedded host runs as processes, and what such an image would start.
// Everything else is simulated.

/** Images that hold nothing but Node: what they would run, this machine's Node runs. */
export const nodeImages: readonly string[] = [
  'node',
  'docker.io/library/node',
  'docker.io/node',
  'library/node',
]

/** `repository:tag@digest` without tag and digest. */
export function repositoryOf(image: string): string {
  const [plain = ''] = image.split('@')
  const colon = plain.lastIndexOf(':')
  return colon > plain.lastIndexOf('/') ? plain.slice(0, colon) : plain
}

export function isNodeImage(image: string, images: readonly string[] = nodeImages): boolean {
  return images.includes(repositoryOf(image))
}

const nodeNames = new Set(['node', 'nodejs', '/usr/local/bin/node', '/usr/local/bin/nodejs', '/usr/bin/node'])
const otherCommands = new Set([
  'sh',
  'bash',
  'npm',
  'npx',
  'yarn',
  'corepack',
  'env',
  'tail',
  'sleep',
  'cat',
  'ls',
  'printenv',
  'true',
  'false',
  'echo',
])

export const isNodeName = (name: string): boolean => nodeNames.has(name)

/** Command and arguments as the image's entry point makes them: what is no command is given to Node. */
export function commandLine({
  command = [],
  args = [],
}: {
  readonly command?: readonly string[] | undefined
  readonly args?: readonly string[] | undefined
}): readonly string[] {
  if (command.length > 0) return [...command, ...args]
  const [first] = args
  if (first === undefined) return ['node']
  const isCommand =
    isNodeName(first) || otherCommands.has(first) || (first.startsWith('/') && !/\.[cm]?[jt]s$/.test(first))
  return isCommand ? args : ['node', ...args]
}
