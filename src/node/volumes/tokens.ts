// Tokens of a pod's service account: asked for once, kept, and asked for again before they end.
// Upstream: pkg/kubelet/token. The file they stand in is payload.ts's.

import type { Pod, ServiceAccountTokenProjection, TokenRequest } from '../../api/models.ts'
import { parseTime } from '../../api/time.ts'
import { type Client, subresourceOf } from '../../client/client.ts'
import { serviceAccounts } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import { namespaceOf } from '../pods/config-source.ts'

const expirationSecondsDefault = 3_600
// Renewed when a fifth of their life is left, and at least once a day.
const renewedAfter = 0.8
const ageMsMax = 24 * 3_600_000

interface Kept {
  readonly token: string
  readonly renewAtMs: number
}

const tokenRequests = subresourceOf<TokenRequest>(serviceAccounts, 'token')

/** The tokens of one pod. */
export class PodTokens {
  readonly #client: Client
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor({ client, clock }: { readonly client: Client; readonly clock: Clock }) {
    this.#client = client
    this.#clock = clock
  }

  /** When the next one has to be renewed; undefined without any. */
  get renewAtMs(): number | undefined {
    const moments = [...this.#kept.values()].map(({ renewAtMs }) => renewAtMs)
    return moments.length === 0 ? undefined : Math.min(...moments)
  }

  async get(pod: Pod, projection: ServiceAccountTokenProjection, signal?: AbortSignal): Promise<string> {
    const { audience = '', expirationSeconds = expirationSecondsDefault } = projection
    const key = `${audience} ${expirationSeconds}`
    const nowMs = this.#clock.now()
    const kept = this.#kept.get(key)
    if (kept !== undefined && nowMs < kept.renewAtMs) return kept.token
    const { token, endsMs } = await this.#request(pod, { audience, expirationSeconds, signal })
    const renewAtMs = nowMs + Math.min(ageMsMax, (endsMs - nowMs) * renewedAfter)
    this.#kept.set(key, { token, renewAtMs })
    return token
  }

  async #request(
    pod: Pod,
    {
      audience,
      expirationSeconds,
      signal,
    }: { audience: string; expirationSeconds: number; signal: AbortSignal | undefined },
  ): Promise<{ readonly token: string; readonly endsMs: number }> {
    const { name, uid } = pod.metadata
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    }
    const account = pod.spec?.serviceAccountName ?? 'default'
    const target = { name: account, namespace: namespaceOf(pod), signal }
    const { status } = await this.#client.create(tokenRequests, request, target)
    if (status?.token === undefined) throw new Error('the answer to a token request holds no token')
    const endsMs =
      parseTime(status.expirationTimestamp ?? '') ?? this.#clock.now() + expirationSeconds * 1_000
    return { token: status.token, endsMs }
  }
}
