// Endpoints that people write appear as slices, and go with them.

import { test } from 'tap'
import { endpointSlices } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { until } from './simulate-pods.ts'

const outside = (addresses: string) => `
apiVersion: v1
kind: Service
metadata: { name: outside, namespace: default }
spec: { ports: [{ name: sql, port: 5432 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: outside, namespace: default, labels: { team: data } }
subsets: [{ addresses: [${addresses}], ports: [{ name: sql, port: 5432 }] }]
`

test('endpoints without a selector are mirrored into slices, and followed', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const { ok } = cluster
  const mirrored = (isDone: (addresses: readonly string[]) => boolean) =>
    until(client, endpointSlices, (all) =>
      isDone(
        all
          .filter(({ metadata }) => metadata.generateName === 'outside-')
          .flatMap(({ endpoints = [] }) => endpoints.flatMap(({ addresses }) => addresses)),
      ),
    )
  await ok('apply -f -', outside('{ ip: 10.9.0.1 }'))
  const found = (await mirrored((addresses) => addresses.length === 1)).filter(
    ({ metadata }) => metadata.generateName === 'outside-',
  )
  t.match(found, [
    {
      metadata: {
        labels: {
          team: 'data',
          'kubernetes.io/service-name': 'outside',
          'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Endpoints', name: 'outside' }],
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.9.0.1'], conditions: { ready: true } }],
      ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    },
  ])
  await ok('apply -f -', outside('{ ip: 10.9.0.1 }, { ip: 10.9.0.2 }'))
  await mirrored((addresses) => addresses.length === 2)
  await ok('label endpoints outside endpointslice.kubernetes.io/skip-mirror=true')
  await mirrored((addresses) => addresses.length === 0)
  await ok('label endpoints outside endpointslice.kubernetes.io/skip-mirror-')
  await mirrored((addresses) => addresses.length === 2)
  await ok('delete endpoints outside')
  await mirrored((addresses) => addresses.length === 0)
})
