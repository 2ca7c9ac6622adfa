import { test } from 'tap'
import { pod } from '../../src/kinds/pods/pod.ts'
import { createErrors } from './errors.ts'

const container = { name: 'a', image: 'x:1' }
const errorsOf = (spec: object) => createErrors(pod, { spec: { containers: [container], ...spec } })
const containerErrors = (fields: object, spec: object = {}) =>
  errorsOf({ ...spec, containers: [{ ...container, ...fields }] })

test('a plain pod passes', async (t) => {
  t.same(errorsOf({}), [])
})

const path = 'spec.containers[0]'
const containers: readonly (readonly [string, object, readonly string[]])[] = [
  ['no name', { name: '' }, [`${path}.name: Required value`]],
  ['no image', { image: '' }, [`${path}.image: Required value`]],
  [
    'an image with blanks',
    { image: ' x' },
    [`${path}.image: Invalid value: " x": must not have leading or trailing whitespace`],
  ],
  [
    'an unknown pull policy',
    { imagePullPolicy: 'Sometimes' },
    [
      `${path}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
    ],
  ],
  [
    'a mount of nothing',
    { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    [`${path}.volumeMounts[0].name: Not found: "v"`],
  ],
  ['a port without a number', { ports: [{}] }, [`${path}.ports[0].containerPort: Required value`]],
  [
    'a port that is too high',
    { ports: [{ containerPort: 70_000 }] },
    [`${path}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
  ],
  [
    'two ports of one name',
    {
      ports: [
        { containerPort: 1, name: 'web' },
        { containerPort: 2, name: 'web' },
      ],
    },
    [`${path}.ports[1].name: Duplicate value: "web"`],
  ],
  ['a variable without a name', { env: [{ value: 'x' }] }, [`${path}.env[0].name: Required value`]],
  [
    'a variable with value and source',
    { env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
    [`${path}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`],
  ],
  [
    'a field that variables cannot show',
    { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] },
    [
      `${path}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
    ],
  ],
  [
    'a probe without a handler',
    { readinessProbe: {} },
    [`${path}.readinessProbe: Required value: must specify a handler type`],
  ],
  [
    'a liveness probe that must succeed twice',
    { livenessProbe: { exec: { command: ['x'] }, successThreshold: 2 } },
    [`${path}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
  ],
  [
    'a request above the limit',
    { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
    [`${path}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`],
  ],
  [
    'a resource that no container has',
    { resources: { limits: { pods: '1' } } },
    [
      `${path}.resources.limits[pods]: Invalid value: "pods": must be a standard resource for containers`,
      `${path}.resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers`,
    ],
  ],
  [
    'privileges that may not be escalated',
    { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
    [
      `${path}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
    ],
  ],
]

for (const [what, fields, expected] of containers) {
  test(`a container with ${what} is refused`, async (t) => {
    t.same(containerErrors(fields), expected)
  })
}

const specs: readonly (readonly [string, object, readonly string[]])[] = [
  ['no containers', { containers: [] }, ['spec.containers: Required value']],
  [
    'two containers of one name',
    { containers: [container, container] },
    ['spec.containers[1].name: Duplicate value: "a"'],
  ],
  [
    'an unknown restart policy',
    { restartPolicy: 'Maybe' },
    ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "Never", "OnFailure"'],
  ],
  [
    'an init container with a probe',
    { initContainers: [{ name: 'i', image: 'x:1', livenessProbe: { exec: { command: ['x'] } } }] },
    [
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'a volume of two sorts',
    { volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'c' } }] },
    ['spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'a host path that climbs',
    { volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] },
    ['spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''],
  ],
  [
    'a secret volume without a secret',
    { volumes: [{ name: 'v', secret: {} }] },
    ['spec.volumes[0].secret.secretName: Required value'],
  ],
  [
    'a toleration with seconds and no NoExecute',
    { tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 5 }] },
    [
      'spec.tolerations[0].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
    ],
  ],
  [
    'node affinity without terms',
    { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } },
    [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
  ],
  [
    'no name servers of its own',
    { dnsPolicy: 'None' },
    ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
  ],
  [
    'ephemeral containers from the start',
    { ephemeralContainers: [{ name: 'e', image: 'x:1' }] },
    ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
  ],
  [
    'a deadline of nothing',
    { activeDeadlineSeconds: 0 },
    ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
  ],
  [
    'a token and no service account',
    { volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] },
    [
      'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
  ],
]

for (const [what, spec, expected] of specs) {
  test(`a pod with ${what} is refused`, async (t) => {
    t.same(errorsOf(spec), expected)
  })
}

test('a value that may be empty is not asked for', async (t) => {
  t.same(containerErrors({ livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'X-A' }] } } }), [])
  t.same(containerErrors({ lifecycle: { preStop: { sleep: {} } } }), [])
})

test('a pod whose name is no host name is warned about', async (t) => {
  const warnings = pod.warnings?.({ metadata: { name: 'a.b' } }, undefined) ?? []
  t.equal(warnings.length, 1)
  t.match(warnings[0], /^metadata\.name: this is used in the Pod's hostname/)
})
