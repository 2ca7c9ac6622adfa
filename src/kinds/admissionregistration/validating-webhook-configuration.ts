// Which webhooks judge what is written, and when they are asked. Admission calls them.
// Upstream: pkg/registry/admissionregistration/validatingwebhookconfiguration.

import { ageColumn, ageOf, integer, nameColumn, nameOf } from '../columns.ts'
import { defineKind } from '../define.ts'
import { itemsOf } from '../fields.ts'
import { each } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { checkWebhooks, defaultWebhook } from './webhook-rules.ts'

export const validatingWebhookConfiguration: Kind = defineKind({
  group: 'admissionregistration.k8s.io',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  isNamespaced: false,
  tracksGeneration: true,
  allowsUnconditionalUpdate: false,
  columns: [nameColumn, integer('Webhooks'), ageColumn],
  cells: (object, now) => [nameOf(object), itemsOf(object['webhooks']).length, ageOf(object, now)],
  defaults: (object) => each(object, 'webhooks', (webhook) => defaultWebhook(webhook)),
  validate: (object) => checkWebhooks(itemsOf(object['webhooks'])),
})
