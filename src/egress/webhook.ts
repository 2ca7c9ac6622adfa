// Calls a webhook by its client configuration and answers what it said, as JSON.
// Upstream: apiserver/pkg/util/webhook/client.go. What is asked and what the answer means is the caller's.

import type { Json } from '../api/object.ts'
import type { Egress } from './egress.ts'
import { EgressError } from './failures.ts'
import type { FindService } from './services.ts'

/** As objects hold it; validated where it is written. */
export interface WebhookClientConfig {
  readonly url?: string | undefined
  readonly service?:
    | {
        readonly namespace: string
        readonly name: string
        readonly path?: string | undefined
        readonly port?: number | undefined
      }
    | undefined
  /** PEM in base64. */
  readonly caBundle?: string | undefined
}

export interface WebhookCall {
  readonly clientConfig: WebhookClientConfig
  readonly body: Json
  readonly timeoutMs: number
}

/** Throws EgressError, its message in the words of Go's HTTP client. */
export type CallWebhook = (call: WebhookCall) => Promise<Json>

export interface WebhookCallerOptions {
  readonly egress: Egress
  readonly findService: FindService
}

export function createWebhookCaller({ egress, findService }: WebhookCallerOptions): CallWebhook {
  return async ({ clientConfig, body, timeoutMs }) => {
    const url = `${webhookUrl(clientConfig)}?timeout=${Math.ceil(timeoutMs / 1_000)}s`
    try {
      const { service } = clientConfig
      const answer = await egress.post({
        url,
        addresses: service === undefined ? undefined : findService({ ...service, port: service.port ?? 443 }),
        ca: readBundle(clientConfig.caBundle),
        body: JSON.stringify(body),
        timeoutMs,
      })
      return readAnswer(answer.status, answer.body)
    } catch (error) {
      if (!(error instanceof EgressError)) throw error
      if (error instanceof AnswerError) throw error
      const text = `Post ${JSON.stringify(url)}: ${error.message}`
      throw new EgressError(text, { cause: error, isTimeout: error.isTimeout })
    }
  }
}

/** `https://name.namespace.svc:443/path`, the name that the certificate must be valid for among it. */
export function webhookUrl({ url, service }: WebhookClientConfig): string {
  if (service === undefined) return url ?? ''
  const { name, namespace, port = 443, path = '' } = service
  return `https://${name}.${namespace}.svc:${port}${path.startsWith('/') ? path : `/${path}`}`
}

function readBundle(bundle: string | undefined): string | undefined {
  if (bundle === undefined || bundle === '') return undefined
  const text = Buffer.from(bundle, 'base64').toString('latin1')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new EgressError('unable to load root certificates: unable to parse bytes as PEM block')
}

/** Said by the far end, so that the address is not repeated. */
class AnswerError extends EgressError {}

// The body of a failure is not shown: a webhook's address may be one that the asker cannot read.
function readAnswer(status: number, body: Buffer): Json {
  if (status === 404) throw new AnswerError('the server could not find the requested resource')
  if (status >= 500)
    throw new AnswerError('an error on the server ("unknown") has prevented the request from succeeding')
  if (status < 200 || status >= 300)
    throw new AnswerError(`the server rejected our request for an unknown reason (status ${status})`)
  try {
    return JSON.parse(body.toString('utf8')) as Json
  } catch (error) {
    // Its text quotes what it could not read, so it stays the cause.
    throw new AnswerError("couldn't get version/kind; json parse error: the answer is no JSON", {
      cause: error,
    })
  }
}
