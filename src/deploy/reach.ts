// How a person reaches the plane of a release: its admin's kubeconfig, which the plane itself keeps in a Secret.
// Whoever may read Secrets in that namespace rules the plane anyway: its signing keys are on a claim there.

import type { Client, SignalOption } from '../client/client.ts'
import type { KubeconfigContent } from '../client/kubeconfig-file.ts'
import { secrets, services } from '../client/resources.ts'
import { namesOf } from './release-names.ts'

/** Written by the embedded host on Services that ask for it. */
export const loopbackAnnotation = 'k3v.dev/loopback-443'

export interface ReachOptions extends SignalOption {
  readonly host: Client
  readonly namespace: string
  readonly release: string
  /** Said by the user: a port-forward, a load balancer. */
  readonly server?: string | undefined
}

/** The keys of the Secret. */
export const kubeconfigKeys = { ca: 'ca.crt', certificate: 'tls.crt', key: 'tls.key' } as const

export interface Reach extends KubeconfigContent {
  /** This machine gets there as it is; otherwise `server` is an address that only pods reach. */
  readonly isDirect: boolean
}

/** Rejects with an error for a person while the plane has not written it. */
export async function reachRelease({
  host,
  namespace,
  release,
  server,
  signal,
}: ReachOptions): Promise<Reach> {
  const names = namesOf(release)
  const [secret, service] = await Promise.all([
    host.get(secrets, { namespace, name: names.kubeconfigSecret }, { signal }),
    host.get(services, { namespace, name: names.root }, { signal }),
  ])
  if (service === undefined) throw new Error(`there is no release ${release} in namespace ${namespace}`)
  if (secret === undefined)
    throw new Error(
      `release ${release} has no kubeconfig yet: its control plane has not started; see k3v status ${release}`,
    )
  const read = (name: string): string =>
    Buffer.from(String(secret.data?.[name] ?? ''), 'base64').toString('utf8')
  const loopback = service.metadata.annotations?.[loopbackAnnotation]
  const address = server ?? (loopback === undefined ? undefined : `https://${loopback}`)
  return {
    name: release,
    isDirect: address !== undefined,
    server: address ?? `https://${service.spec?.clusterIP}`,
    ca: read(kubeconfigKeys.ca),
    // A tunnel has another name than what the certificate is for.
    serverName: server === undefined ? undefined : 'kubernetes.default.svc',
    user: { certificate: read(kubeconfigKeys.certificate), key: read(kubeconfigKeys.key) },
  }
}
