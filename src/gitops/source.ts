// Which repositories are followed: http and https, one ref, one folder. What else people write is refused by name.
// Reading them is repository.ts's.

import { isIP } from 'node:net'

/** Something about the source or a commit that only its owner can mend; trying again does not help. */
export class SourceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SourceError'
  }
}

export interface Source {
  /** Without credentials. */
  readonly url: string
  /** In full: `refs/heads/main`. */
  readonly ref: string
  /** The folders down to the package; empty for the repository's root. */
  readonly path: readonly string[]
  /** Never part of a message. */
  readonly token?: string | undefined
}

export interface SourceText {
  readonly url: string
  readonly ref: string
  readonly path: string
  readonly token?: string | undefined
}

/** Throws SourceError. */
export function readSource({ url, ref, path, token }: SourceText): Source {
  const parsed = readUrl(url)
  if (token !== undefined && parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) {
    throw new SourceError('a token is sent over https only')
  }
  return { url: parsed.href, ref: readRef(ref), path: readPath(path), token }
}

/** A name in a tree that is taken neither as a folder nor as a file, on any file system. */
export function isUnsafeName(name: string): boolean {
  const plain = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase()
  const trimmed = plain.replace(/[. ]+$/, '')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return trimmed === '' || trimmed === '.git' || trimmed === 'git~1' || /[/\\:\u0000-\u001f]/.test(name)
}

function readUrl(text: string): URL {
  // `user@host:path` is no URL, but what git servers show first.
  if (/^[^/:]+@[^/:]+:/.test(text)) throw new SourceError('ssh is not spoken; write the https URL')
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed === undefined)
    throw new SourceError('not a URL; write one like https://git.example.com/team/app.git')
  const { protocol } = parsed
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new SourceError(`${protocol.slice(0, -1)} is not spoken; write the https URL`)
  if (parsed.username !== '' || parsed.password !== '')
    throw new SourceError('the URL holds credentials; put the token into K3V_GIT_TOKEN')
  if (parsed.search !== '' || parsed.hash !== '') throw new SourceError('the URL has a query or a fragment')
  return parsed
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))

function readRef(ref: string): string {
  const full = ref.startsWith('refs/') ? ref : `refs/heads/${ref}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses them in names
  const isWrong = /[\u0000- \u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(full)
  if (isWrong || full.length > 250) throw new SourceError(`${JSON.stringify(ref)} is no name of a branch`)
  return full
}

function readPath(path: string): readonly string[] {
  const folders = path.split('/').filter((name) => name !== '' && name !== '.')
  const wrong = folders.find(isUnsafeName)
  if (path.startsWith('/') || wrong !== undefined)
    throw new SourceError(`path ${JSON.stringify(path)}: name a folder inside the repository`)
  return folders
}
