// What the demo plays on: an embedded host, a folder of its own, a user with one namespaced role, real tools.
// The story is demo.ts's.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeObject } from '../../src/api/object.ts'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces, roleBindings } from '../../src/client/resources.ts'
import { type EmbeddedHost, startEmbeddedHost } from '../../src/plane/host.ts'
import { repositoryRoot } from '../run.ts'
import { kubectlPath } from '../tools.ts'

export const hostNamespace = 'team-a'
const deployer = 'dana'

export interface Stage extends AsyncDisposable {
  readonly host: EmbeddedHost
  readonly folder: string
  /** Of the host's administrator, who only looks. */
  readonly adminKubeconfig: string
  /** Of the user who deploys: ClusterRole `admin`, bound in one namespace. */
  readonly userKubeconfig: string
  k3v(args: readonly string[], signal: AbortSignal): Promise<string>
  /** Standard output; rejects with what kubectl said unless it exits with 0. */
  kubectl(kubeconfig: string, args: readonly string[], options: KubectlOptions): Promise<string>
}

export interface KubectlOptions {
  readonly signal: AbortSignal
  readonly input?: string
}

export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-demo-'))
  try {
    const host = await startEmbeddedHost({ dataDirectory: join(folder, 'host'), isKept: false })
    try {
      return await furnish(host, folder)
    } catch (error) {
      await host.close()
      throw error
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function furnish(host: EmbeddedHost, folder: string): Promise<Stage> {
  await allow(host)
  const adminKubeconfig = join(folder, 'host-admin.yaml')
  const userKubeconfig = join(folder, 'host-user.yaml')
  await writeKubeconfig({ path: adminKubeconfig, content: host.kubeconfig() })
  const user = host.kubeconfig({ user: deployer, groups: ['developers'], namespace: hostNamespace })
  await writeKubeconfig({ path: userKubeconfig, content: user })
  const program = await kubectlPath()
  const k3v = join(repositoryRoot, 'bin', 'k3v.js')
  return {
    host,
    folder,
    adminKubeconfig,
    userKubeconfig,
    k3v: (args, signal) => run(process.execPath, [k3v, ...args], { folder, signal }),
    kubectl: (kubeconfig, args, options) => run(program, args, { folder, kubeconfig, ...options }),
    [Symbol.asyncDispose]: async () => {
      await host.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function allow(host: EmbeddedHost): Promise<void> {
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: hostNamespace } }
  await host.client.create(namespaces, namespace)
  const group = 'rbac.authorization.k8s.io'
  const binding: KubeObject = {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'developers-are-admins', namespace: hostNamespace },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'admin' },
    subjects: [{ apiGroup: group, kind: 'User', name: deployer }],
  }
  await host.client.create(roleBindings, binding as never)
}

interface RunOptions {
  readonly folder: string
  readonly kubeconfig?: string
  readonly input?: string
  readonly signal: AbortSignal
}

/** With nothing of the caller's own environment: an exported KUBECONFIG changes nothing. */
async function run(
  program: string,
  args: readonly string[],
  { folder, kubeconfig, input = '', signal }: RunOptions,
): Promise<string> {
  const child = spawn(program, args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      TMPDIR: folder,
      KUBECACHEDIR: join(folder, 'cache'),
      NO_PROXY: '*',
      ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
    },
    signal,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 0) return stdout
  throw new CommandFailure(`${args[0]?.endsWith('k3v.js') ? 'k3v' : 'kubectl'}: ${(stderr || stdout).trim()}`)
}

export class CommandFailure extends Error {}

/** Everything in the host's namespace but events, which are notes and go by themselves: `pods/web-0`. */
export async function contentsOf({ host }: Stage, namespace: string): Promise<readonly string[]> {
  const resources = host.plane.served().filter((one) => one.isNamespaced && one.resource !== 'events')
  const found = await Promise.all(
    resources.map(async ({ group, version, resource }) => {
      const { items } = await host.client.list(
        { group, version, resource, isNamespaced: true },
        { namespace },
      )
      return items.map(({ metadata }) => `${resource}/${metadata.name}`)
    }),
  )
  return found.flat().sort()
}

/** The page at an address of the cluster, through the node's own network. */
export async function readPage(
  { host }: Stage,
  { address, port, signal }: { address: string; port: number; signal: AbortSignal },
): Promise<string> {
  const socket = await host.actor.dial({ address, port }, { signal })
  return new Promise((resolve, reject) => {
    const asked = request({ createConnection: () => socket, path: '/', signal }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`the page answers ${response.statusCode}: ${text}`))
      })
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end()
  })
}
