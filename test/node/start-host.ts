// An embedded host for a test, in memory, with what tests ask of it: apply objects, wait for a pod, read its log.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConfigMap, Container, Pod, PodSpec } from '../../src/api/models.ts'
import { createInformer, type Informer } from '../../src/client/informer.ts'
import { configMaps, pods } from '../../src/client/resources.ts'
import { type EmbeddedHost, type EmbeddedHostOptions, startEmbeddedHost } from '../../src/plane/host.ts'

export interface TestHost extends AsyncDisposable {
  readonly host: EmbeddedHost
  readonly directory: string
  readonly pods: Informer<Pod>
  /** A pod in the namespace default. */
  create(name: string, spec: Partial<PodSpec>, metadata?: Partial<Pod['metadata']>): Promise<Pod>
  /** Files for pods to mount. */
  config(name: string, data: Record<string, string>): Promise<ConfigMap>
  /** The pod once this is true of it; fails after a generous time. */
  until(name: string, holds: (pod: Pod) => boolean): Promise<Pod>
  untilGone(name: string): Promise<void>
  /** The log once it holds this text. */
  untilLogged(name: string, text: string, container?: string): Promise<string>
}

const deadlineMs = 30_000

export async function startTestHost(options: Partial<EmbeddedHostOptions> = {}): Promise<TestHost> {
  const directory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'k3v-host-')))
  const host = await startEmbeddedHost({ isKept: false, ...options, dataDirectory: directory })
  const { client } = host
  const informer = createInformer({ client, resource: pods })
  await informer.synced
  const untilChange = async <T>(what: string, look: () => T | undefined): Promise<T> => {
    const found = Promise.withResolvers<T>()
    const check = (): void => {
      const value = look()
      if (value !== undefined) found.resolve(value)
    }
    const end = informer.on(check)
    check()
    const late = setTimeout(
      () =>
        found.reject(
          new Error(
            `${what}: not in time: ${JSON.stringify(informer.list().map(({ metadata, status }) => ({ name: metadata.name, status })))}`,
          ),
        ),
      deadlineMs,
    )
    try {
      return await found.promise
    } finally {
      clearTimeout(late)
      end()
    }
  }
  const until = (name: string, holds: (pod: Pod) => boolean): Promise<Pod> =>
    untilChange(name, () => {
      const pod = informer.get('default', name)
      return pod !== undefined && holds(pod) ? pod : undefined
    })
  return {
    host,
    directory,
    pods: informer,
    create: async (name, spec, metadata = {}) =>
      client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', ...metadata },
        spec: { terminationGracePeriodSeconds: 1, containers: [], ...spec },
      }),
    config: async (name, data) =>
      client.create(configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'default' },
        data,
      }),
    until,
    untilGone: async (name) => {
      await untilChange(name, () => (informer.get('default', name) === undefined ? true : undefined))
    },
    untilLogged: async (name, text, container) => {
      const target = { namespace: 'default', pod: name, container: container ?? 'main' }
      await until(name, ({ status }) =>
        [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].some(
          (one) =>
            one.name === target.container && (one.state?.running ?? one.state?.terminated) !== undefined,
        ),
      )
      let seen = ''
      for await (const part of host.actor.followLogs(target)) {
        seen += part
        if (seen.includes(text)) return seen
      }
      if (!seen.includes(text)) throw new Error(`the log ended without ${text}: ${seen}`)
      return seen
    },
    [Symbol.asyncDispose]: async () => {
      await informer[Symbol.asyncDispose]()
      await host.close()
      if (options.dataDirectory === undefined) await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A container that runs this module text. */
export function script(source: string, more: Partial<Container> = {}): Container {
  return { name: 'main', image: 'node:26', command: ['node', '--input-type=module', '-e', source], ...more }
}

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
