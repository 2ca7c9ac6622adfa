// Calls one webhook for one request: its verdict, or why there is none.
// What a failure means for the request is told by the webhook's failure policy, in mutating.ts and validating.ts.

import type { AdmissionRequest } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import { ApiError, badRequest, internalError, type Status } from '../../api/status.ts'
import { EgressError } from '../../egress/failures.ts'
import type { CallWebhook } from '../../egress/webhook.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Logger } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import { refuse } from '../refuse.ts'
import { type Invocation, type Matching, shown } from './match.ts'
import { type ReviewParts, readResponse, requestOf, reviewOf, type Verdict } from './review.ts'

export interface WebhookParts extends Matching {
  readonly call: CallWebhook
  /** True for a webhook that nobody can answer here and that is noted instead; the object passes unchanged. */
  readonly isUnproved?: ((invocation: Invocation) => boolean) | undefined
  /** False while the plane itself makes what every cluster has: no webhook may keep it from starting. */
  readonly isOn?: (() => boolean) | undefined
  readonly random: Random
  readonly clock: Clock
  readonly log: Logger
}

export interface Asked {
  readonly request: AdmissionRequest
  readonly invocation: Invocation
  readonly object: KubeObject | undefined
}

/** How much time all webhooks of one request have together. Upstream: the request's own deadline. */
const requestMs = 30_000

export const deadlineOf = ({ clock }: WebhookParts): number => clock.monotonic() + requestMs

/** A verdict, or undefined when the webhook failed and its policy lets that pass. Throws ApiError otherwise. */
export async function ask(
  parts: WebhookParts,
  { request, invocation, object }: Asked,
  { mayPatch, deadline }: { readonly mayPatch: boolean; readonly deadline: number },
): Promise<Verdict | undefined> {
  const { webhook } = invocation
  if (parts.isUnproved?.(invocation) === true) return undefined
  const old = await shown(parts.versions, request.old, { request, version: invocation.version })
  const uid = parts.random.uuid()
  if (!meetsConditions({ uid, invocation, request, object, old })) return undefined
  if (request.isDryRun && webhook.hasSideEffects)
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  try {
    const timeoutMs = Math.min(webhook.timeoutMs, deadline - parts.clock.monotonic())
    if (timeoutMs <= 0) throw new EgressError('context deadline exceeded', { isTimeout: true })
    const answer = await parts.call({
      clientConfig: webhook.clientConfig,
      body: reviewOf({ uid, invocation, request, object, old }),
      timeoutMs,
    })
    const verdict = readResponse(answer, { uid, invocation, mayPatch })
    if (typeof verdict === 'string')
      return fail(parts, invocation, `received invalid webhook response: ${verdict}`)
    for (const warning of verdict.warnings) request.warn(warning)
    return verdict
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    return fail(parts, invocation, `failed to call webhook: ${error.message}`, error)
  }
}

/** A condition that cannot be judged refuses the request, unless the webhook's failures are let pass. */
function meetsConditions(review: ReviewParts): boolean {
  const { invocation, request, object = null, old = null } = review
  const { conditions, failsOpen } = invocation.webhook
  if (conditions === undefined) return true
  const outcome = conditions({
    object,
    oldObject: old,
    request: { ...requestOf(review), object, oldObject: old },
  })
  if (outcome.ok) return outcome.isMatch
  if (failsOpen) return false
  throw refuse(request, outcome.error)
}

function fail(parts: WebhookParts, { webhook }: Invocation, reason: string, cause?: unknown): undefined {
  const message = `failed calling webhook ${JSON.stringify(webhook.name)}: ${reason}`
  if (!webhook.failsOpen) throw internalError(message, cause)
  parts.log.warn('a webhook failed; its policy lets requests pass', { webhook: webhook.name, reason })
  return undefined
}

/** Upstream: webhook/errors/statuserror.go. */
export function denial(name: string, { status = {} }: Verdict): ApiError {
  const { message, reason, code, details } = status
  const deniedBy = `admission webhook ${JSON.stringify(name)} denied the request`
  const said = [message, reason].find((one) => typeof one === 'string' && one !== '')
  return new ApiError({
    // A refusal is never a success, whatever the webhook says.
    code: typeof code === 'number' && code >= 400 && code < 600 ? code : 400,
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    message: said === undefined ? `${deniedBy} without explanation` : `${deniedBy}: ${String(said)}`,
    ...(typeof details === 'object' && details !== null && !Array.isArray(details)
      ? { details: details as NonNullable<Status['details']> }
      : {}),
  })
}
