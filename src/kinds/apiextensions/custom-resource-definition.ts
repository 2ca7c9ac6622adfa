// Definitions of custom resources. Their schemas are judged in crds/, which also makes kinds of them.
// Upstream: apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go and its strategy.

import type { KubeObject } from '../../api/object.ts'
import { nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, textOf, textsOf } from '../fields.ts'
import { fill, pipe, set, within } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { validateDefinition, validateDefinitionChange } from './definition-validate.ts'

export const customResourceDefinition: Kind = defineKind({
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  isNamespaced: false,
  // Upstream's, which is of another version than the one it is served as.
  storageVersionHash: 'jfWCUB31mvA=',
  tracksGeneration: true,
  allowsUnconditionalUpdate: false,
  columns: [nameColumn, { ...text('Created At'), type: 'date' }],
  cells: (object) => [nameOf(object), textOf(object.metadata.creationTimestamp)],
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  status: {},
  prepareCreate: (object) => withStoredVersion(object),
  prepareUpdate: (object) => withStoredVersion(object),
  validate: validateDefinition,
  validateChange: validateDefinitionChange,
})

function defaultSpec(spec: Fields): Fields {
  return pipe(
    spec,
    (one) => set(one, 'names', defaultNames(fieldsOf(one['names']))),
    (one) => (isPresent(one['conversion']) ? one : set(one, 'conversion', { strategy: 'None' })),
    (one) =>
      within(one, 'conversion', (conversion) =>
        within(conversion, 'webhook', (webhook) =>
          within(webhook, 'clientConfig', (config) =>
            within(config, 'service', (service) => fill(service, { port: 443 })),
          ),
        ),
      ),
  )
}

function defaultNames(names: Fields): Fields {
  const kind = textOf(names['kind'])
  if (kind === '') return names
  return fill(names, { singular: kind.toLowerCase(), listKind: `${kind}List` })
}

/** Each version that ever was the stored one stays listed until its objects are migrated. */
function withStoredVersion(object: KubeObject): KubeObject {
  const stored = itemsOf(at(object, 'spec', 'versions')).find((version) => version['storage'] === true)
  const status = fieldsOf(object['status'])
  const versions = textsOf(status['storedVersions'])
  const name = textOf(stored?.['name'])
  if (name === '' || versions.includes(name)) return object
  return set(object, 'status', set(status, 'storedVersions', [...versions, name]))
}
