// What exactly is started for a container: file, arguments, environment and folder; pure but for looking at a folder.
// Starting it is process.ts's.

import { existsSync } from 'node:fs'
import { mapNodeArguments } from '../preload/arguments.ts'
import type { PathMap } from '../preload/path-map.ts'
import { isNodeName } from './image.ts'

export interface LaunchOptions {
  /** Not empty. */
  readonly commandLine: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workingDirectory: string | undefined
  readonly paths: PathMap
  /** For `--import`. */
  readonly preload: string
  /** The container's own folder: its home, and where it starts when nothing else is said. */
  readonly home: string
  readonly hostname: string
  /** A folder in which `node` is this machine's Node. */
  readonly binDirectory: string
}

export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

// Node reads these by itself, before any program does.
const pathVariables = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_COMPILE_CACHE']

export function launchOf(options: LaunchOptions): Launch {
  const { commandLine, paths, preload, home, workingDirectory } = options
  const [name = 'node', ...args] = commandLine
  const env = { ...baseEnvironment(options), ...options.env }
  for (const variable of pathVariables) {
    if (env[variable] !== undefined) env[variable] = paths.toReal(env[variable])
  }
  const cwd = realDirectory(workingDirectory, { paths, home })
  if (isNodeName(name)) {
    const mapped = mapNodeArguments(args, (path) => paths.toReal(path))
    return { file: process.execPath, args: ['--import', preload, ...mapped], env, cwd }
  }
  // A shell starts Node by itself, and Node reads this.
  const nodeOptions = [env['NODE_OPTIONS'], `--import=${preload}`].filter((one) => one !== undefined)
  return { file: paths.toReal(name), args, env: { ...env, NODE_OPTIONS: nodeOptions.join(' ') }, cwd }
}

function baseEnvironment({ home, hostname, binDirectory }: LaunchOptions): Record<string, string> {
  return {
    PATH: `${binDirectory}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOSTNAME: hostname,
    HOME: home,
    TMPDIR: home,
    NODE_VERSION: process.versions.node,
  }
}

/** Images' own folders do not exist here. */
function realDirectory(
  directory: string | undefined,
  { paths, home }: { paths: PathMap; home: string },
): string {
  if (directory === undefined || directory === '') return home
  const real = paths.toReal(directory)
  return existsSync(real) ? real : home
}
