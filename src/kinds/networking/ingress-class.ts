// Ingress classes: which controller serves an ingress.

import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, textOf } from '../fields.ts'
import { fill, set, within } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkRequired } from '../rules.ts'

const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class'
const controllerCharactersMax = 250

export const ingressClass: Kind = defineKind({
  group: 'networking.k8s.io',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  isNamespaced: false,
  tracksGeneration: true,
  columns: [nameColumn, text('Controller'), text('Parameters'), ageColumn],
  cells: (object, now) => {
    const isDefault = object.metadata.annotations?.[defaultAnnotation] === 'true'
    return [
      `${nameOf(object)}${isDefault ? ' (default)' : ''}`,
      textOf(at(object, 'spec', 'controller')),
      parametersCell(at(object, 'spec', 'parameters')),
      ageOf(object, now),
    ]
  },
  defaults: (object) =>
    set(
      object,
      'spec',
      within(fieldsOf(object['spec']), 'parameters', (parameters) => fill(parameters, { scope: 'Cluster' })),
    ),
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateChange: (object, old) =>
    immutableField('spec.controller', at(object, 'spec', 'controller'), at(old, 'spec', 'controller')),
})

function parametersCell(parameters: unknown): string {
  if (!isPresent(parameters)) return '<none>'
  const group = textOf(at(parameters, 'apiGroup'))
  return `${textOf(at(parameters, 'kind'))}${group === '' ? '' : `.${group}`}/${textOf(at(parameters, 'name'))}`
}

function validateSpec(spec: Fields): readonly FieldError[] {
  const controller = textOf(spec['controller'])
  const errors: FieldError[] = []
  if (controller.length > controllerCharactersMax)
    errors.push(
      fieldInvalid('spec.controller', controller, `must be no more than ${controllerCharactersMax} bytes`),
    )
  if (controller === '') errors.push(fieldRequired('spec.controller'))
  else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/.+$/.test(controller))
    errors.push(
      fieldInvalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'),
    )
  const parameters = spec['parameters']
  if (!isPresent(parameters)) return errors
  return [...errors, ...checkParameters(fieldsOf(parameters), 'spec.parameters')]
}

function checkParameters(parameters: Fields, path: string): readonly FieldError[] {
  const scope = textOf(parameters['scope'])
  const hasNamespace = isPresent(parameters['namespace'])
  const scopes = ['Cluster', 'Namespace']
  const errors: FieldError[] = []
  if (!scopes.includes(scope)) errors.push(fieldNotSupported(`${path}.scope`, scope, scopes))
  if (scope === 'Namespace' && !hasNamespace)
    errors.push(fieldRequired(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"))
  if (scope === 'Cluster' && hasNamespace)
    errors.push(fieldForbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  return [
    ...['kind', 'name'].flatMap((name) => checkRequired(parameters[name], `${path}.${name}`)),
    ...errors,
  ]
}
