// Binds claims to folders of this machine: a volume for each, removed with its claim.
// Upstream: pkg/controller/volume/persistentvolume, as far as one local class of storage needs it.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/models.ts'
import type { Client } from '../../client/client.ts'
import { isAlreadyExists, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/objects.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Logger } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import { type Controller, createController } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'

export const storageClassName = 'standard'
export const provisioner = 'k3v.dev/folder'
const provisionedBy = 'pv.kubernetes.io/provisioned-by'

export interface ClaimsOptions {
  readonly client: Client
  readonly claims: Informer<PersistentVolumeClaim>
  readonly volumes: Informer<PersistentVolume>
  /** Where the folders are. */
  readonly directory: string
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface Claims extends AsyncDisposable {
  state(namespace: string, name: string): 'bound' | 'pending' | 'missing'
  /** Undefined while it is not bound to a volume of ours. */
  folder(namespace: string, name: string): string | undefined
}

export function startClaims(options: ClaimsOptions): Claims {
  const { claims, volumes, clock, random, log, directory } = options
  const binder = new Binder(options)
  const controller: Controller = createController({
    name: 'claims',
    sources: [
      fromInformer(claims),
      fromInformer(volumes, ({ object }) =>
        object.spec?.claimRef === undefined ? [] : [keyOf(object.spec.claimRef)],
      ),
    ],
    reconcile: async (key, { signal }) => {
      await binder.reconcile(key, signal)
      return undefined
    },
    workers: 1,
    clock,
    random,
    log,
  })
  const nameOf = (namespace: string, name: string): string | undefined => {
    const claim = claims.get(namespace, name)
    return claim?.status?.phase === 'Bound' ? claim.spec?.volumeName : undefined
  }
  return {
    state: (namespace, name) =>
      nameOf(namespace, name) !== undefined
        ? 'bound'
        : claims.get(namespace, name) === undefined
          ? 'missing'
          : 'pending',
    folder: (namespace, name) => {
      const volume = volumes.get('', nameOf(namespace, name) ?? '')
      return volume?.metadata.annotations?.[provisionedBy] === provisioner
        ? join(directory, volume.metadata.name ?? '')
        : undefined
    },
    [Symbol.asyncDispose]: () => controller[Symbol.asyncDispose](),
  }
}

/** The one class there is, and the default. */
export async function ensureStorageClass(client: Client, signal: AbortSignal): Promise<void> {
  const wanted: StorageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: storageClassName,
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    provisioner,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  }
  try {
    await client.create(storageClasses, wanted, { signal })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

class Binder {
  readonly #options: ClaimsOptions

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitKey(key)
    const claim = this.#options.claims.get(namespace, name)
    await this.#removeAbandoned({ namespace, name, uid: claim?.metadata.uid, signal })
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return
    if (claim.status?.phase === 'Bound' || !isOurs(claim)) return
    await this.#bind(claim, signal)
  }

  async #bind(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const { client, directory, volumes } = this.#options
    const volumeName = `pvc-${claim.metadata.uid}`
    await mkdir(join(directory, volumeName), { recursive: true, mode: 0o700 })
    if (volumes.get('', volumeName) === undefined)
      await this.#create(volumeOf(claim, { ...this.#options, volumeName }), signal)
    const bound =
      claim.spec?.volumeName === volumeName
        ? claim
        : await client.update(persistentVolumeClaims, withVolume(claim, volumeName), { signal })
    const capacity = claim.spec?.resources?.requests ?? {}
    await client.updateStatus(
      persistentVolumeClaims,
      {
        ...bound,
        status: { ...bound.status, phase: 'Bound', accessModes: claim.spec?.accessModes, capacity },
      },
      { signal },
    )
  }

  async #create(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const { client } = this.#options
    try {
      const made = await client.create(persistentVolumes, volume, { signal })
      await client.updateStatus(
        persistentVolumes,
        { ...made, status: { ...made.status, phase: 'Bound' } },
        { signal },
      )
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  /** Volumes of a claim that is gone, or that is another one by now. */
  async #removeAbandoned(claim: {
    namespace: string
    name: string
    uid: string | undefined
    signal: AbortSignal
  }): Promise<void> {
    const { client, volumes, directory, log } = this.#options
    for (const volume of volumes.list()) {
      const { claimRef, persistentVolumeReclaimPolicy } = volume.spec ?? {}
      const isAbout =
        claimRef?.namespace === claim.namespace && claimRef.name === claim.name && claimRef.uid !== claim.uid
      if (
        !isAbout ||
        volume.metadata.annotations?.[provisionedBy] !== provisioner ||
        persistentVolumeReclaimPolicy !== 'Delete'
      )
        continue
      const name = volume.metadata.name ?? ''
      try {
        await client.delete(
          persistentVolumes,
          { name },
          { preconditions: { uid: volume.metadata.uid }, signal: claim.signal },
        )
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      await rm(join(directory, name), { recursive: true, force: true })
      log.info('removed the folder of a claim that was deleted', {
        namespace: claim.namespace,
        name: claim.name,
      })
    }
  }
}

/** Of our class, and not made for a certain volume. */
function isOurs({ spec }: PersistentVolumeClaim): boolean {
  const isFree =
    spec?.volumeName === undefined || spec.volumeName === '' || spec.volumeName.startsWith('pvc-')
  return isFree && spec?.storageClassName === storageClassName
}

const withVolume = (claim: PersistentVolumeClaim, volumeName: string): PersistentVolumeClaim => ({
  ...claim,
  metadata: {
    ...claim.metadata,
    annotations: {
      ...claim.metadata.annotations,
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    },
  },
  spec: { ...claim.spec, volumeName },
})

function volumeOf(
  claim: PersistentVolumeClaim,
  { directory, volumeName, nodeName }: ClaimsOptions & { volumeName: string },
): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { [provisionedBy]: provisioner } },
    spec: {
      capacity: claim.spec?.resources?.requests,
      accessModes: claim.spec?.accessModes,
      volumeMode: 'Filesystem',
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
      local: { path: join(directory, volumeName) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] },
          ],
        },
      },
    },
  }
}
