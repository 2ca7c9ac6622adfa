// The only way to the host: each write asks whether this plane is the one that writes, and carries its proof.
// Updates carry UID and revision, deletes the UID; nothing is ever deleted by a selector.

import { serviceUnavailable } from '../api/status.ts'
import type { AnyObject, Client, ResourceRef } from '../client/client.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../client/failures.ts'

export interface HostWriterOptions {
  readonly client: Client
  readonly hostNamespace: string
  /** False while another process is the writer, or may be. */
  readonly mayWrite: () => boolean
}

export class HostWriter {
  readonly #client: Client
  readonly #hostNamespace: string
  readonly #mayWrite: () => boolean

  constructor({ client, hostNamespace, mayWrite }: HostWriterOptions) {
    this.#client = client
    this.#hostNamespace = hostNamespace
    this.#mayWrite = mayWrite
  }

  /** What is there now, past all caches. */
  async read<T extends AnyObject>(
    resource: ResourceRef<T>,
    name: string,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    return await this.#client.get(resource, { namespace: this.#hostNamespace, name }, { signal })
  }

  /** Undefined when the name is taken. */
  async create<T extends AnyObject>(
    resource: ResourceRef<T>,
    object: T,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    this.#check()
    try {
      return await this.#client.create(resource, object, { fieldManager: 'k3v', signal })
    } catch (error) {
      if (isAlreadyExists(error)) return undefined
      throw error
    }
  }

  /** `next` has the metadata of the version that it replaces; a newer one refuses it. */
  async update<T extends AnyObject>(resource: ResourceRef<T>, next: T, signal?: AbortSignal): Promise<T> {
    this.#check()
    const { uid, resourceVersion } = next.metadata
    if (uid === undefined || resourceVersion === undefined)
      throw new Error('an update on the host has neither UID nor revision')
    return await this.#client.update(resource, next, { fieldManager: 'k3v', signal })
  }

  /**
   * Deletes this incarnation of the object; `isExact`: this version of it, because it may have been given to another
   * object since. Already gone, or another one by now, is as good.
   */
  async delete<T extends AnyObject>(
    resource: ResourceRef<T>,
    object: T,
    options: {
      readonly gracePeriodSeconds?: number | undefined
      readonly isExact?: boolean | undefined
      readonly signal?: AbortSignal | undefined
    } = {},
  ): Promise<void> {
    this.#check()
    const { name = '', uid, resourceVersion } = object.metadata
    if (uid === undefined) throw new Error('a delete on the host has no UID')
    const { gracePeriodSeconds, isExact = false, signal } = options
    const preconditions = isExact ? { uid, resourceVersion } : { uid }
    try {
      await this.#client.delete(
        resource,
        { namespace: this.#hostNamespace, name },
        { gracePeriodSeconds, signal, preconditions, propagationPolicy: 'Background' },
      )
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  #check(): void {
    if (!this.#mayWrite()) throw serviceUnavailable('this process is not the one that writes to the host', 5)
  }
}
