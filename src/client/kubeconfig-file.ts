// Writes a kubeconfig that kubectl can read: for its owner alone, whole or not at all.
// Reading one is kubeconfig.ts's.

import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { dump } from 'js-yaml'
import { type Random, systemRandom } from '../platform/random.ts'

export interface KubeconfigContent {
  /** Names the cluster, the user and the context. */
  readonly name: string
  readonly server: string
  /** PEM. */
  readonly ca?: string | undefined
  readonly serverName?: string | undefined
  readonly namespace?: string | undefined
  readonly user: { readonly token: string } | { readonly certificate: string; readonly key: string }
}

export function kubeconfigText({ name, server, ca, serverName, namespace, user }: KubeconfigContent): string {
  const cluster = {
    server,
    ...(ca === undefined ? {} : { 'certificate-authority-data': base64(ca) }),
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
  }
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) }
  const context = { cluster: name, user: name, ...(namespace === undefined ? {} : { namespace }) }
  return dump(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster }],
      users: [{ name, user: credentials }],
      contexts: [{ name, context }],
      'current-context': name,
    },
    { lineWidth: -1 },
  )
}

export interface WriteKubeconfigOptions {
  readonly path: string
  readonly content: KubeconfigContent
  readonly random?: Random | undefined
}

/** Readable by the owner only from its first byte; a reader sees the old file or the new one, never half of one. */
export async function writeKubeconfig({
  path,
  content,
  random = systemRandom,
}: WriteKubeconfigOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${random.suffix(8)}.new`
  try {
    await writeFile(draft, kubeconfigText(content), { mode: 0o600, flag: 'wx' })
    await chmod(draft, 0o600)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
