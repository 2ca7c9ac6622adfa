// ValidatingAdmissionWebhook: all webhooks at once, over the object as it will be stored.
// Upstream: apiserver/pkg/admission/plugin/webhook/validating.

import type { AdmissionPlugin, AdmissionRequest } from '../../api/contracts.ts'
import { ask, deadlineOf, denial, type WebhookParts } from './call.ts'
import { webhooksOf } from './configuration.ts'
import { type Invocation, isExempt, matchWebhook, shown } from './match.ts'

export function validatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validate: async (request) => {
      if (parts.isOn?.() === false || isExempt(request)) return
      const webhooks = webhooksOf(parts.reader, 'validating')
      if (webhooks.length === 0) return
      const invocations = webhooks.flatMap((webhook) => matchWebhook(parts, webhook, request) ?? [])
      const deadline = deadlineOf(parts)
      const results = await Promise.allSettled(
        invocations.map((invocation) => judge(parts, request, { invocation, deadline })),
      )
      // Of several refusals the first in order is told, so that the same request gets the same answer.
      const refusal = results.find((result) => result.status === 'rejected')
      if (refusal !== undefined) throw refusal.reason
    },
  }
}

async function judge(
  parts: WebhookParts,
  request: AdmissionRequest,
  { invocation, deadline }: { readonly invocation: Invocation; readonly deadline: number },
): Promise<void> {
  const object = await shown(parts.versions, request.object, { request, version: invocation.version })
  const verdict = await ask(parts, { request, invocation, object }, { mayPatch: false, deadline })
  if (verdict !== undefined && !verdict.isAllowed) throw denial(invocation.webhook.name, verdict)
}
