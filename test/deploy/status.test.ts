import t from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { judge } from '../../src/deploy/status/additions.ts'
import { createHealthJudge } from '../../src/deploy/status/health.ts'
import { compute } from '../../src/deploy/status/kstatus.ts'

const nowMs = Date.UTC(2026, 0, 1)
const ago = (seconds: number) => new Date(nowMs - seconds * 1_000).toISOString()

type Parts = { metadata?: object; spec?: object; status?: object }

const object = (apiVersion: string, kind: string, parts: Parts = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'a', ...parts.metadata },
  ...(parts.spec && { spec: parts.spec }),
  ...(parts.status && { status: parts.status }),
})

const told = (subject: KubeObject, how = compute) => {
  const { status, reason } = how(subject, { nowMs })
  return reason === '' ? status : `${status} ${reason}`
}

const condition = (type: string, status = 'True', reason = '', message = '') => ({
  type,
  status,
  reason,
  message,
})
const conditions = (...list: object[]) => ({ conditions: list })

t.test('rules that go before every kind', async (t) => {
  const cases: [string, KubeObject, string][] = [
    [
      'deletion',
      object('v1', 'ConfigMap', { metadata: { deletionTimestamp: 'x' } }),
      'Terminating Terminating',
    ],
    [
      'an old generation',
      object('x/v1', 'A', { metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
      'InProgress LatestGenerationNotObserved',
    ],
    ['no observed generation', object('x/v1', 'A', { metadata: { generation: 2 }, status: {} }), 'Current'],
    [
      'Reconciling',
      object('apps/v1', 'Deployment', { status: conditions(condition('Reconciling', 'True', 'Busy')) }),
      'InProgress Busy',
    ],
    [
      'Stalled',
      object('x/v1', 'A', { status: conditions(condition('Stalled', 'True', 'Stuck')) }),
      'Failed Stuck',
    ],
    [
      'Stalled=False',
      object('x/v1', 'A', { status: conditions(condition('Stalled', 'False', 'Fine')) }),
      'Current',
    ],
    ['Ready', object('x/v1', 'A', { status: conditions(condition('Ready')) }), 'Current'],
    [
      'not Ready',
      object('x/v1', 'A', { status: conditions(condition('Ready', 'False', 'Waiting')) }),
      'InProgress Waiting',
    ],
    [
      'Ready unknown',
      object('x/v1', 'A', { status: conditions(condition('Ready', 'Unknown')) }),
      'InProgress NotReady',
    ],
    ['no status', object('x/v1', 'A'), 'Current'],
    ['a foreign Deployment', object('x/v1', 'Deployment', { spec: { replicas: 3 } }), 'Current'],
  ]
  for (const [name, subject, expected] of cases) t.equal(told(subject), expected, name)
})

t.test('pods', async (t) => {
  const pod = (status: object, metadata: object = {}) => object('v1', 'Pod', { status, metadata })
  const unschedulable = {
    phase: 'Pending',
    ...conditions(condition('PodScheduled', 'False', 'Unschedulable', 'no room')),
  }
  const waiting = (reason: string) => [{ name: 'c', state: { waiting: { reason } } }]
  const cases: [KubeObject, string][] = [
    [pod({}), 'InProgress PodNotObserved'],
    [pod({ phase: 'Succeeded' }), 'Current'],
    [pod({ phase: 'Failed' }), 'Current'],
    [pod({ phase: 'Running', ...conditions(condition('Ready')) }), 'Current'],
    [pod({ phase: 'Running' }), 'InProgress PodRunningNotReady'],
    [
      pod({ phase: 'Running', containerStatuses: waiting('CrashLoopBackOff') }),
      'Failed ContainerCrashLooping',
    ],
    [
      pod({ phase: 'Running', initContainerStatuses: waiting('CrashLoopBackOff') }),
      'InProgress PodRunningNotReady',
    ],
    [pod({ phase: 'Pending' }), 'InProgress PodPending'],
    [pod(unschedulable, { creationTimestamp: ago(5) }), 'InProgress PodNotScheduled'],
    [pod(unschedulable, { creationTimestamp: ago(20) }), 'Failed PodUnschedulable'],
    [pod({ phase: 'Pending', containerStatuses: waiting('ImagePullBackOff') }), 'InProgress PodPending'],
  ]
  for (const [subject, expected] of cases) t.equal(told(subject), expected, JSON.stringify(subject['status']))
})

t.test('deployments', async (t) => {
  const good = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }
  const available = conditions(
    condition('Available'),
    condition('Progressing', 'True', 'NewReplicaSetAvailable'),
  )
  const deployment = (status: object, spec: object = {}) =>
    object('apps/v1', 'Deployment', { spec: { replicas: 2, progressDeadlineSeconds: 600, ...spec }, status })
  const cases: [KubeObject, string][] = [
    [deployment({ ...good, ...available }), 'Current'],
    [deployment({ ...available }), 'InProgress LessReplicas'],
    [deployment({ ...good, ...available, updatedReplicas: 1 }), 'InProgress LessUpdated'],
    [deployment({ ...good, ...available, replicas: 3 }), 'InProgress ExtraPods'],
    [deployment({ ...good, ...available, availableReplicas: 1 }), 'InProgress LessAvailable'],
    [deployment({ ...good, ...available, readyReplicas: 1 }), 'InProgress LessReady'],
    [deployment({ ...good, ...conditions(condition('Available')) }), 'InProgress ReplicaSetNotAvailable'],
    [
      deployment(
        { ...good, ...conditions(condition('Available')) },
        { progressDeadlineSeconds: 2_147_483_647 },
      ),
      'Current',
    ],
    [
      deployment({ ...good, ...conditions(condition('Progressing', 'True', 'NewReplicaSetAvailable')) }),
      'InProgress DeploymentNotAvailable',
    ],
    [
      deployment({ ...conditions(condition('Progressing', 'False', 'ProgressDeadlineExceeded')) }),
      'Failed ProgressDeadlineExceeded',
    ],
    [deployment({ ...available }, { replicas: 0 }), 'Current'],
  ]
  for (const [subject, expected] of cases) t.equal(told(subject), expected, JSON.stringify(subject['status']))
  const refused = deployment(
    conditions(condition('ReplicaFailure', 'True', 'FailedCreate', 'pods "a-" is forbidden')),
  )
  t.match(compute(refused, { nowMs }).message, /0 of 2 replicas exist: pods "a-" is forbidden/)
})

t.test('stateful sets, daemon sets and replica sets', async (t) => {
  const stateful = (status: object, updateStrategy?: object) =>
    object('apps/v1', 'StatefulSet', {
      spec: { replicas: 3, ...(updateStrategy && { updateStrategy }) },
      status,
    })
  const all = {
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: 'a',
    updateRevision: 'a',
  }
  const partition = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }
  const daemon = (status: object, generation?: number) =>
    object('apps/v1', 'DaemonSet', { status, ...(generation && { metadata: { generation } }) })
  const counts = {
    observedGeneration: 1,
    desiredNumberScheduled: 1,
    currentNumberScheduled: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberReady: 1,
  }
  const set = (status: object) => object('apps/v1', 'ReplicaSet', { spec: { replicas: 1 }, status })
  const cases: [KubeObject, string][] = [
    [stateful({}, { type: 'OnDelete' }), 'Current'],
    [stateful({}), 'InProgress LessReplicas'],
    [stateful({ ...all, readyReplicas: 1 }), 'InProgress LessReady'],
    [stateful({ ...all, replicas: 4 }), 'InProgress ExtraPods'],
    [stateful({ ...all, updatedReplicas: 0 }, partition), 'InProgress PartitionRollout'],
    [stateful({ ...all, updatedReplicas: 1, currentReplicas: 2 }, partition), 'Current'],
    [stateful({ ...all, currentReplicas: 2 }), 'InProgress LessCurrent'],
    [stateful({ ...all, updateRevision: 'b' }), 'InProgress RevisionMismatch'],
    [stateful(all), 'Current'],
    [daemon({}), 'InProgress NoGeneration'],
    [daemon({}, 1), 'InProgress NoObservedGeneration'],
    [daemon({ observedGeneration: 1 }, 1), 'InProgress NoDesiredNumber'],
    [daemon({ ...counts, currentNumberScheduled: 0 }, 1), 'InProgress LessCurrent'],
    [daemon({ ...counts, updatedNumberScheduled: 0 }, 1), 'InProgress LessUpdated'],
    [daemon({ ...counts, numberAvailable: 0 }, 1), 'InProgress LessAvailable'],
    [daemon({ ...counts, numberReady: 0 }, 1), 'InProgress LessReady'],
    [daemon({ observedGeneration: 1, desiredNumberScheduled: 0 }, 1), 'Current'],
    [daemon(counts, 1), 'Current'],
    [set(conditions(condition('ReplicaFailure'))), 'InProgress ReplicaFailure'],
    [set({}), 'InProgress LessLabelled'],
    [set({ fullyLabeledReplicas: 1 }), 'InProgress LessAvailable'],
    [set({ fullyLabeledReplicas: 1, availableReplicas: 1 }), 'InProgress LessReady'],
    [
      set({ fullyLabeledReplicas: 1, availableReplicas: 1, readyReplicas: 1, replicas: 2 }),
      'InProgress ExtraPods',
    ],
    [set({ fullyLabeledReplicas: 1, availableReplicas: 1, readyReplicas: 1, replicas: 1 }), 'Current'],
  ]
  for (const [subject, expected] of cases) t.equal(told(subject), expected, JSON.stringify(subject['status']))
})

t.test('jobs, definitions, claims, services and what is always ready', async (t) => {
  const job = (status: object, spec: object = {}) => object('batch/v1', 'Job', { spec, status })
  const definition = (...list: object[]) =>
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: conditions(...list) })
  const service = (spec: object) => object('v1', 'Service', { spec })
  const cases: [KubeObject, string][] = [
    [job({}), 'InProgress JobNotStarted'],
    [job({ startTime: 'x' }), 'Current'],
    [job({ startTime: 'x', ...conditions(condition('Complete')) }), 'Current'],
    [job({ startTime: 'x', ...conditions(condition('Failed')) }), 'Failed JobFailed'],
    [job(conditions(condition('Suspended')), { suspend: true }), 'Current'],
    [definition(), 'InProgress Installing'],
    [definition(condition('NamesAccepted', 'False', 'Taken')), 'Failed Taken'],
    [
      definition(condition('NamesAccepted'), condition('Established', 'False', 'Installing')),
      'InProgress Installing',
    ],
    [definition(condition('NamesAccepted'), condition('Established')), 'Current'],
    [object('v1', 'PersistentVolumeClaim', { status: { phase: 'Pending' } }), 'InProgress NotBound'],
    [object('v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }), 'Current'],
    [service({ type: 'LoadBalancer' }), 'InProgress NoIPAssigned'],
    [service({ type: 'LoadBalancer', clusterIP: '10.0.0.1' }), 'Current'],
    [service({}), 'Current'],
    [object('v1', 'Secret'), 'Current'],
    [object('batch/v1', 'CronJob'), 'Current'],
    [
      object('policy/v1', 'PodDisruptionBudget', { status: conditions(condition('Ready', 'False')) }),
      'Current',
    ],
  ]
  for (const [subject, expected] of cases) t.equal(told(subject), expected, JSON.stringify(subject))
})

t.test('judge() waits where kstatus says current too early', async (t) => {
  const pull = (seconds: number) =>
    object('v1', 'Pod', {
      metadata: { creationTimestamp: ago(seconds) },
      status: {
        phase: 'Pending',
        containerStatuses: [{ name: 'c', image: 'x', state: { waiting: { reason: 'ErrImagePull' } } }],
      },
    })
  const cases: [KubeObject, string][] = [
    [object('batch/v1', 'Job', { status: { startTime: 'x' } }), 'InProgress JobRunning'],
    [
      object('batch/v1', 'Job', { status: { startTime: 'x', ...conditions(condition('Complete')) } }),
      'Current',
    ],
    [
      object('v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }),
      'InProgress NoIngress',
    ],
    [
      object('v1', 'Service', {
        spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' },
        status: { loadBalancer: { ingress: [{ ip: 'x' }] } },
      }),
      'Current',
    ],
    [pull(10), 'InProgress ErrImagePull'],
    [pull(120), 'Failed ErrImagePull'],
    [object('apiregistration.k8s.io/v1', 'APIService'), 'InProgress NotAvailable'],
    [object('x/v1', 'A'), 'Current'],
  ]
  for (const [subject, expected] of cases) t.equal(told(subject, judge), expected, JSON.stringify(subject))
})

t.test('createHealthJudge() asks the package’s rule for its kind only', async (t) => {
  const health = createHealthJudge(
    [{ apiVersion: 'x/v1', kind: 'A', ready: 'self.status.ok' }],
    () => (self) => {
      if (self['status'] === undefined) throw new Error('no such key: status')
      return (self['status'] as { ok: boolean }).ok
    },
  )
  t.equal(health(object('x/v1', 'B')), undefined)
  t.match(health(object('x/v1', 'A')), {
    status: 'InProgress',
    message: /cannot be judged yet: self\.status\.ok: no such key/,
  })
  t.match(health(object('x/v1', 'A', { status: { ok: false } })), {
    status: 'InProgress',
    message: /not true yet/,
  })
  t.match(health(object('x/v1', 'A', { status: { ok: true } })), { status: 'Current' })
})
