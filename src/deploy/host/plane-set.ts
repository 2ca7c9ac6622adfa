// The StatefulSet of one pod that is the plane: fit for hosts that enforce the restricted Pod Security Standard.
// The other host objects are manifests.ts's.

import type { KubeObject } from '../../api/object.ts'
import { bootKey } from '../pointer.ts'
import { labelsOf, planePort, type ReleaseNames } from '../release-names.ts'
import { type HostOptions, ownedBy, type Root } from './wanted.ts'

// The user `node` of the stock image.
const userId = 1000

export function planeStatefulSet(options: HostOptions, root: Root): KubeObject {
  const { names, namespace, storage } = options
  const labels = labelsOf(names.release, 'plane')
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: names.root, namespace, labels, ownerReferences: [ownedBy(root)] },
    spec: {
      replicas: 1,
      serviceName: names.root,
      selector: { matchLabels: { 'k3v.dev/release': names.release, 'k3v.dev/part': 'plane' } },
      // Whether the state goes is said at deletion, not before.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: { metadata: { labels }, spec: podSpec(options) },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
        },
      ],
    },
  }
}

function podSpec(options: HostOptions) {
  const { names, pointer } = options
  return {
    serviceAccountName: names.root,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: userId,
      runAsGroup: userId,
      fsGroup: userId,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container(options)],
    volumes: [
      { name: 'boot', configMap: { name: names.root, items: [{ key: bootKey, path: bootKey }] } },
      {
        name: 'program',
        projected: { sources: pointer.program.secrets.map((name) => ({ secret: { name } })) },
      },
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
    ],
  }
}

function container({ names, pointer, image, memory }: HostOptions) {
  return {
    name: 'plane',
    image,
    command: ['node', `/k3v/boot/${bootKey}`],
    env: environment(names, pointer.program.digest),
    ports: [{ name: 'https', containerPort: planePort, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory }, limits: { memory: atLeastHalfGibibyte(memory) } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    startupProbe: probe('/readyz', { periodSeconds: 1, failureThreshold: 120 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5, failureThreshold: 3 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: 6 }),
    volumeMounts: [
      { name: 'boot', mountPath: '/k3v/boot', readOnly: true },
      { name: 'program', mountPath: '/k3v/program', readOnly: true },
      { name: 'data', mountPath: '/data' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

function environment(names: ReleaseNames, digest: string) {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  return [
    { name: 'K3V_RELEASE', value: names.release },
    { name: 'K3V_DATA', value: '/data' },
    { name: 'K3V_PROGRAM_DIGEST', value: digest },
    field('K3V_POD_IP', 'status.podIP'),
    field('K3V_POD_NAME', 'metadata.name'),
  ]
}

function probe(path: string, timing: { readonly periodSeconds: number; readonly failureThreshold: number }) {
  return { httpGet: { path, port: 'https', scheme: 'HTTPS' }, timeoutSeconds: 5, ...timing }
}

// A plane that lists a lot for a moment must not be killed for it: what is asked for is usual, not the most.
function atLeastHalfGibibyte(memory: string): string {
  const mebibytes = /^(\d+)(Mi|Gi)$/.exec(memory)
  const asked = mebibytes === null ? 0 : Number(mebibytes[1]) * (mebibytes[2] === 'Gi' ? 1024 : 1)
  return asked === 0 || asked * 2 >= 512 ? (asked === 0 ? memory : `${asked * 2}Mi`) : '512Mi'
}
