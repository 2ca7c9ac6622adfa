// MutatingAdmissionWebhook: one webhook after the other, each sees what those before it did; some are asked twice.
// Upstream: apiserver/pkg/admission/plugin/webhook/mutating.

import type { AdmissionPlugin, AdmissionRequest } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import { applyJsonPatch } from '../../api/patch/json.ts'
import { ApiError, badRequest, internalError } from '../../api/status.ts'
import { ask, deadlineOf, denial, type WebhookParts } from './call.ts'
import { webhooksOf } from './configuration.ts'
import { type Invocation, isExempt, matchWebhook, shown } from './match.ts'
import type { Verdict } from './review.ts'

const name = 'MutatingAdmissionWebhook'

export function mutatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name,
    mutate: async (request) => {
      const object = request.object ?? { metadata: {} }
      return isIdle(parts, request) ? object : run(parts, request, object)
    },
    // What has no new object to change is only asked about: upstream does so in the same place.
    validate: async (request) => {
      if (request.object !== undefined && request.operation !== 'CONNECT') return
      if (!isIdle(parts, request)) await run(parts, request, request.object)
    },
  }
}

const isIdle = ({ isOn }: WebhookParts, request: AdmissionRequest): boolean =>
  isOn?.() === false || isExempt(request)

/** What is remembered from the first run over all plugins to the second. */
interface Memory {
  /** Webhooks that want to see later changes, and saw the object before it changed again. */
  readonly seen: Set<string>
  readonly due: Set<string>
  output: KubeObject | undefined
}

function memoryOf({ round }: AdmissionRequest): Memory {
  const fresh = (): Memory => ({ seen: new Set(), due: new Set(), output: undefined })
  if (round === undefined) return fresh()
  const known = round.memory.get(name) as Memory | undefined
  const memory = known ?? fresh()
  round.memory.set(name, memory)
  return memory
}

function callSeenAgain({ seen, due }: Memory): void {
  for (const id of seen) due.add(id)
  seen.clear()
}

async function run<T extends KubeObject | undefined>(
  parts: WebhookParts,
  request: AdmissionRequest,
  start: T,
): Promise<T> {
  const webhooks = webhooksOf(parts.reader, 'mutating')
  if (webhooks.length === 0) return start
  const isAgain = request.round?.isAgain === true
  const memory = memoryOf(request)
  const deadline = deadlineOf(parts)
  let object: T = start
  if (isAgain && !isSame(object, memory.output)) callSeenAgain(memory)
  for (const webhook of webhooks) {
    if (isAgain && !memory.due.has(webhook.id)) continue
    const invocation = matchWebhook(parts, webhook, { ...request, object })
    if (invocation === undefined) continue
    const asked = {
      request,
      invocation,
      object: await shown(parts.versions, object, { request, version: invocation.version }),
    }
    const verdict = await ask(parts, asked, { mayPatch: true, deadline })
    if (verdict !== undefined) {
      const next = (await apply(parts, asked, verdict)) as T
      if (next !== undefined && asked.object !== next) {
        object = (await back(parts, request, invocation, next)) as T
        callSeenAgain(memory)
        request.round?.askAgain()
      }
    }
    if (webhook.isReinvoked) memory.seen.add(webhook.id)
  }
  memory.output = object
  return object
}

const isSame = (one: KubeObject | undefined, other: KubeObject | undefined): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other)

interface Shown {
  readonly request: AdmissionRequest
  readonly invocation: Invocation
  readonly object: KubeObject | undefined
}

/** The same object when the webhook changed nothing. */
async function apply(
  { versions }: WebhookParts,
  { request, invocation, object }: Shown,
  verdict: Verdict,
): Promise<KubeObject | undefined> {
  const { webhook, version } = invocation
  if (!verdict.isAllowed) throw denial(webhook.name, verdict)
  if (verdict.patch.length === 0) return object
  if (object === undefined || request.operation === 'CONNECT')
    throw internalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    )
  const patched = patch(object, verdict)
  checkPlace(request, patched)
  const defaulted = versions.defaults(patched, version.resource)
  return isSame(object, defaulted) ? object : defaulted
}

function patch(object: KubeObject, verdict: Verdict): KubeObject {
  try {
    const patched = applyJsonPatch(object, verdict.patch)
    if (typeof patched.metadata !== 'object' || patched.metadata === null)
      throw badRequest('the patched object has no metadata')
    return patched
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw internalError(error.message, error)
  }
}

/** Where an object is written was authorised before the webhook was asked. */
function checkPlace({ namespace }: AdmissionRequest, { metadata }: KubeObject): void {
  if (namespace === '' || (metadata.namespace ?? namespace) === namespace) return
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

async function back(
  { versions }: WebhookParts,
  request: AdmissionRequest,
  { version }: Invocation,
  object: KubeObject,
): Promise<KubeObject> {
  if (version.resource.version === request.resource.version) return object
  return versions.convert(object, request.resource)
}
