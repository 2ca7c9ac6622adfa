// Puts a release onto a host: asks for rights first, then applies what is wanted, with the user's own rights.
// Waiting until it is ready is wait.ts's; what happens inside the pod is plane/'s.

import type { PolicyRule } from '../api/contracts.ts'
import type { ConfigMap, Secret } from '../api/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { Client, SignalOption } from '../client/client.ts'
import {
  configMaps,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  services,
  statefulSets,
} from '../client/resources.ts'
import { accessesOf, deployRules, describeAccesses, missingAccess } from './host/access.ts'
import { hostObjects, rootConfigMap } from './host/manifests.ts'
import { type HostOptions, ownedBy, type Root } from './host/wanted.ts'
import { type Payload, packPayload } from './payload.ts'
import { digestOf, toSecrets } from './pieces.ts'
import { type Kept, nextPointer, type Pointer, readPointer } from './pointer.ts'
import { type ProgramFiles, packProgram } from './program.ts'
import { namesOf, partLabel, type ReleaseNames, releaseLabel } from './release-names.ts'

export const deployManager = 'k3v-deploy'

export interface DeployOptions extends SignalOption {
  readonly host: Client
  readonly namespace: string
  readonly release: string
  /** Absent: an empty virtual cluster. */
  readonly payload?: Payload | undefined
  readonly program: ProgramFiles
  /** What templates/start.mjs holds. */
  readonly bootScript: string
  /** What the plane must be allowed on the host. */
  readonly rules: readonly PolicyRule[]
  readonly image?: string | undefined
  readonly memory?: string | undefined
  readonly storage?: string | undefined
  readonly sharesNamespace?: boolean | undefined
  readonly onStep?: ((message: string) => void) | undefined
}

export interface Deployed {
  readonly pointer: Pointer
  readonly root: Root
  /** The pod starts, for the first time or with a new program. */
  readonly restarts: boolean
  readonly isNew: boolean
}

export const defaultImage = 'node:26-alpine'

/** Rejects with an error for a person; until rights and names are fine, nothing has been written. */
export async function deployRelease(options: DeployOptions): Promise<Deployed> {
  const { host, namespace, release, rules, payload, signal, onStep } = options
  const names = namesOf(release)
  await demandRights(host, namespace, rules, signal)
  const before = await host.get(configMaps, { namespace, name: names.root }, { signal })
  await refuseNeighbours(options, before)
  const kept = keep(names, payload, packProgram(options.program))
  const pointer = nextPointer(readPointer(before?.data), kept.pointer)
  const wanted: HostOptions = {
    names,
    namespace,
    pointer,
    bootScript: options.bootScript,
    rules,
    image: options.image ?? defaultImage,
    memory: options.memory ?? '256Mi',
    storage: options.storage ?? '1Gi',
  }
  const apply = applier(host, signal)
  const restarts = readPointer(before?.data)?.program.digest !== pointer.program.digest
  onStep?.(
    restarts && before !== undefined
      ? 'the program of the control plane is new: its pod restarts'
      : `applying the release to namespace ${namespace}`,
  )
  // The root owns the Secrets, so it comes first; it points at them, so a new release gets its pointer after them.
  const isNew = before === undefined
  const root = rootOf(
    isNew ? await apply(rootConfigMap({ ...wanted, pointer: { ...pointer, generation: 0 } })) : before,
  )
  for (const secret of kept.secrets) {
    await apply({
      ...secret,
      metadata: { ...secret.metadata, namespace, ownerReferences: [ownedBy(root)] },
    } as KubeObject)
  }
  await apply(rootConfigMap(wanted))
  for (const object of hostObjects(wanted, root)) await apply(object)
  await dropOldGenerations({ host, namespace, names, pointer, previous: readPointer(before?.data), signal })
  return { pointer, root, restarts, isNew }
}

const rootOf = ({ metadata }: Pick<KubeObject, 'metadata'>): Root => ({
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
})

async function demandRights(
  host: Client,
  namespace: string,
  rules: readonly PolicyRule[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // Who grants a Role must hold what it grants.
  const missing = await missingAccess(host, namespace, accessesOf([...deployRules, ...rules]), signal)
  if (missing.length === 0) return
  const what = describeAccesses(missing)
  throw new Error(
    `you may not deploy to namespace ${namespace}: missing ${what}; the ClusterRole admin, bound in that namespace, is enough`,
  )
}

async function refuseNeighbours(
  { host, namespace, release, sharesNamespace = false, signal }: DeployOptions,
  before: ConfigMap | undefined,
): Promise<void> {
  const { items } = await host.list(configMaps, {
    namespace,
    labelSelector: `${releaseLabel},${partLabel}=root`,
    signal,
  })
  if (before !== undefined && before.metadata.labels?.[releaseLabel] !== release) {
    throw new Error(
      `ConfigMap ${before.metadata.name} in namespace ${namespace} is not k3v's: choose another --name`,
    )
  }
  const others = items
    .map(({ metadata }) => metadata.labels?.[releaseLabel])
    .filter((name) => name !== release)
  if (before !== undefined || others.length === 0 || sharesNamespace) return
  throw new Error(
    `namespace ${namespace} already holds ${others.join(', ')}: releases in one namespace must trust each other; ` +
      'say --share-namespace if they do',
  )
}

interface KeptSecrets {
  readonly pointer: Omit<Pointer, 'generation'>
  readonly secrets: readonly Secret[]
}

function keep(names: ReleaseNames, payload: Payload | undefined, program: Buffer): KeptSecrets {
  const { release, root: prefix } = names
  const programSecrets = toSecrets(program, { release, prefix, part: 'program', what: 'program' })
  const kept = (bytes: Buffer, made: readonly Secret[]): Kept => ({
    digest: digestOf(bytes),
    secrets: made.map(({ metadata }) => metadata.name ?? ''),
  })
  if (payload === undefined)
    return { pointer: { program: kept(program, programSecrets) }, secrets: programSecrets }
  const bytes = packPayload(payload)
  const packageSecrets = toSecrets(bytes, { release, prefix, part: 'package', what: 'package' })
  const { name, version, expose } = payload
  return {
    pointer: {
      program: kept(program, programSecrets),
      package: { name, version, expose, ...kept(bytes, packageSecrets) },
    },
    secrets: [...programSecrets, ...packageSecrets],
  }
}

const resources = {
  ConfigMap: configMaps,
  Secret: secrets,
  Service: services,
  ServiceAccount: serviceAccounts,
  Role: roles,
  RoleBinding: roleBindings,
  StatefulSet: statefulSets,
} as const

function applier(host: Client, signal: AbortSignal | undefined) {
  return async (object: KubeObject): Promise<KubeObject> => {
    const resource = resources[object.kind as keyof typeof resources]
    const options = { fieldManager: deployManager, force: true, signal }
    return (await host.apply(resource as typeof configMaps, object, options)) as KubeObject
  }
}

interface Generations extends SignalOption {
  readonly host: Client
  readonly namespace: string
  readonly names: ReleaseNames
  readonly pointer: Pointer
  readonly previous: Pointer | undefined
}

/** What is wanted now and what was wanted before stay; older program and package Secrets go. */
async function dropOldGenerations({
  host,
  namespace,
  names,
  pointer,
  previous,
  signal,
}: Generations): Promise<void> {
  const kept = new Set(
    [pointer, previous].flatMap((one) => [...(one?.program.secrets ?? []), ...(one?.package?.secrets ?? [])]),
  )
  const { items } = await host.list(secrets, {
    namespace,
    labelSelector: `${releaseLabel}=${names.release},${partLabel} in (program,package)`,
    signal,
  })
  for (const { metadata } of items) {
    if (kept.has(metadata.name ?? '')) continue
    await host.delete(
      secrets,
      { namespace, name: metadata.name ?? '' },
      { signal, preconditions: { uid: metadata.uid } },
    )
  }
}
