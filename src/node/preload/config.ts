// What the actor tells the preload of one container: where its mounts really are, and how to reach the actor.
// It is written by process/container.ts and read once a thread, by start.ts.

import { readFileSync } from 'node:fs'

export interface Mount {
  /** As the container sees it, absolute, without a slash at its end. */
  readonly path: string
  /** Where it is on this machine: a folder, or a file for a subPath that names one. */
  readonly source: string
  readonly isReadOnly: boolean
}

/** An IPv4 network whose addresses exist in the actor's map only. */
export interface FictiveNetwork {
  readonly network: string
  readonly prefix: number
}

export interface PreloadConfig {
  /** The actor's control server on loopback; the token names the container. */
  readonly control: { readonly port: number; readonly token: string }
  /** Everything below it is a real path already. */
  readonly podDirectory: string
  readonly mounts: readonly Mount[]
  readonly networks: readonly FictiveNetwork[]
  readonly hostname: string
  readonly podIP: string
}

/** The module's own URL carries the path of the file, so that workers and forked children find it too. */
export function readConfig(moduleUrl: string): PreloadConfig {
  const path = new URL(moduleUrl).searchParams.get('config')
  if (path === null) throw new Error('the preload was started without its configuration')
  return JSON.parse(readFileSync(path, 'utf8')) as PreloadConfig
}

/** The specifier for `--import`. */
export function preloadSpecifier(moduleUrl: string, configPath: string): string {
  const url = new URL(moduleUrl)
  url.searchParams.set('config', configPath)
  return url.href
}
