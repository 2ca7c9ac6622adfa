// What upstream fills into every pod spec, in a Pod and in a template alike.
// What only a Pod itself gets stands in pod-defaults.ts. Upstream: pkg/apis/core/v1/defaults.go.

import { type Fields, fieldsOf, isPresent, textOf } from '../fields.ts'
import { drop, each, fill, fillZero, pipe, set, within } from '../fill.ts'
import { isLatest } from './image.ts'
import { defaultVolume } from './volume-defaults.ts'

export function defaultPodSpec(spec: Fields): Fields {
  return pipe(
    spec,
    (pod) =>
      fill(pod, {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        securityContext: {},
        schedulerName: 'default-scheduler',
      }),
    sameServiceAccount,
    (pod) => each(pod, 'initContainers', defaultContainer),
    (pod) => each(pod, 'containers', defaultContainer),
    (pod) => each(pod, 'ephemeralContainers', defaultContainer),
    (pod) => each(pod, 'volumes', defaultVolume),
  )
}

/** The old name `serviceAccount` is kept beside the new one; the new one wins. */
function sameServiceAccount(spec: Fields): Fields {
  const name = textOf(spec['serviceAccountName']) || textOf(spec['serviceAccount'])
  if (name === '') return drop(spec, 'serviceAccountName', 'serviceAccount')
  return set(set(spec, 'serviceAccountName', name), 'serviceAccount', name)
}

function defaultContainer(container: Fields): Fields {
  return pipe(
    container,
    (one) =>
      fill(one, {
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: isLatest(textOf(one['image'])) ? 'Always' : 'IfNotPresent',
      }),
    (one) => each(one, 'ports', (port) => fill(port, { protocol: 'TCP' })),
    (one) => each(one, 'env', (variable) => within(variable, 'valueFrom', defaultSource)),
    (one) => within(one, 'livenessProbe', defaultProbe),
    (one) => within(one, 'readinessProbe', defaultProbe),
    (one) => within(one, 'startupProbe', defaultProbe),
    (one) =>
      within(one, 'lifecycle', (lifecycle) =>
        within(within(lifecycle, 'postStart', defaultHandler), 'preStop', defaultHandler),
      ),
  )
}

function defaultSource(source: Fields): Fields {
  const withVersion = within(source, 'fieldRef', (reference) => fill(reference, { apiVersion: 'v1' }))
  const withDivisor = within(withVersion, 'resourceFieldRef', (reference) =>
    fillZero(reference, { divisor: '0' }),
  )
  return within(withDivisor, 'fileKeyRef', (reference) =>
    isPresent(reference['optional']) ? reference : set(reference, 'optional', false),
  )
}

function defaultProbe(probe: Fields): Fields {
  const filled = fillZero(probe, {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  })
  const handled = defaultHandler(filled)
  return within(handled, 'grpc', (grpc) => (isPresent(grpc['service']) ? grpc : set(grpc, 'service', '')))
}

function defaultHandler(handler: Fields): Fields {
  return within(handler, 'httpGet', (action) => fill(action, { path: '/', scheme: 'HTTP' }))
}

/** A template as Deployments and the like hold it: metadata and a pod spec. */
export function defaultPodTemplate(template: Fields): Fields {
  return set(template, 'spec', defaultPodSpec(fieldsOf(template['spec'])))
}
