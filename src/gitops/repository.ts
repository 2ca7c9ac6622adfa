// One branch of one repository: what it points at, and its objects in a bare store below a private folder.
// When to look and what to do with a commit is follow.ts's.

import nodeFileSystem from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { addRemote, fetch, init, isDescendent, listServerRefs } from 'isomorphic-git'
import type { PackageFiles } from '../packages/files.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Source, SourceError } from './source.ts'
import { createTransport } from './transport.ts'
import { findFolder, type Place, readFiles } from './tree.ts'

const lookMsMax = 60_000
const fetchMsMax = 10 * 60_000
const ancestorsMax = 10_000

export interface RepositoryOptions {
  readonly source: Source
  /** Private, and this repository's alone; it is made and removed. */
  readonly folder: string
  readonly clock?: Clock | undefined
}

export interface Repository extends AsyncDisposable {
  /** The commit that the branch points at; undefined when there is no such branch. */
  look(signal: AbortSignal): Promise<string | undefined>
  /** Fetches the branch and answers its commit, which may be newer than what was looked at. */
  fetch(signal: AbortSignal): Promise<string>
  /** The folder's tree id, which tells whether anything there changed. */
  folderOf(commit: string): Promise<string>
  filesOf(tree: string): Promise<PackageFiles>
  descends(commit: string, ancestor: string): Promise<boolean>
  /** Forgets all objects: the next fetch starts anew. */
  forget(): Promise<void>
}

export function openRepository({ source, folder, clock = systemClock }: RepositoryOptions): Repository {
  const gitdir = join(folder, 'objects.git')
  let place: Place = { gitdir, cache: {} }
  let isFilled = false
  const { url, ref, token } = source
  const login = {
    url,
    ...(token !== undefined && { onAuth: () => ({ username: 'git', password: token }) }),
  }
  const within = async <T>(ms: number, signal: AbortSignal, work: (inner: AbortSignal) => Promise<T>) => {
    const late = new AbortController()
    const cancel = clock.setTimer(ms, () => late.abort(new Error(`no answer within ${ms / 1000} seconds`)))
    try {
      return await work(AbortSignal.any([signal, late.signal]))
    } catch (error) {
      signal.throwIfAborted()
      throw explain(late.signal.aborted ? late.signal.reason : error, source)
    } finally {
      cancel()
    }
  }
  const forget = async (): Promise<void> => {
    isFilled = false
    place = { gitdir, cache: {} }
    await rm(gitdir, { recursive: true, force: true })
  }
  return {
    look: (signal) =>
      within(lookMsMax, signal, async (inner) => {
        const refs = await listServerRefs({ http: createTransport(inner), ...login, prefix: ref })
        return refs.find((found) => found.ref === ref)?.oid
      }),
    fetch: (signal) =>
      within(fetchMsMax, signal, async (inner) => {
        const store = { fs: nodeFileSystem, gitdir }
        if (!isFilled) {
          await forget()
          await init({ ...store, bare: true })
          await addRemote({ ...store, remote: 'origin', url })
        }
        const { fetchHead } = await fetch({
          ...store,
          ...login,
          http: createTransport(inner),
          cache: place.cache,
          remote: 'origin',
          remoteRef: ref,
          singleBranch: true,
          tags: false,
          // A depth on a later fetch would download everything again.
          ...(!isFilled && { depth: 1 }),
        })
        if (fetchHead === null) throw new Error(`the git server sent nothing for ${ref}`)
        isFilled = true
        return fetchHead
      }),
    folderOf: (commit) => findFolder(place, commit, source.path),
    filesOf: (tree) => readFiles(place, tree),
    descends: async (commit, ancestor) => {
      if (commit === ancestor) return true
      const search = { fs: nodeFileSystem, ...place, oid: commit, ancestor, depth: ancestorsMax }
      // History that is not there or does not end is history that does not lead to the ancestor.
      return isDescendent(search).catch(() => false)
    },
    forget,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** In a person's words and without the token, whatever the library or the server put into the text. */
function explain(error: unknown, { url, token }: Source): Error {
  const { message, data } = error as Error & { data?: { statusCode?: number } }
  const status = data?.statusCode
  if (status === 401 || status === 403)
    return new SourceError(`${url}: access is denied (${status}); K3V_GIT_TOKEN holds the token`)
  if (status === 404) return new SourceError(`${url}: there is no such repository (404)`)
  const text = token === undefined || token === '' ? message : message.replaceAll(token, '***')
  return new Error(`${url}: ${text}`)
}
