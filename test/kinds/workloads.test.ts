import { test } from 'tap'
import { controllerRevision } from '../../src/kinds/apps/controller-revision.ts'
import { daemonSet } from '../../src/kinds/apps/daemon-set.ts'
import { deployment } from '../../src/kinds/apps/deployment.ts'
import { replicaSet } from '../../src/kinds/apps/replica-set.ts'
import { statefulSet } from '../../src/kinds/apps/stateful-set.ts'
import { cronJob } from '../../src/kinds/batch/cron-job.ts'
import { job } from '../../src/kinds/batch/job.ts'
import { at, fieldsOf } from '../../src/kinds/fields.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { changed, created, createErrors, errorTexts, updateErrors } from './errors.ts'

const selector = { matchLabels: { app: 'a' } }
const podSpec = { containers: [{ name: 'c', image: 'x:1' }] }
const template = { metadata: { labels: { app: 'a' } }, spec: podSpec }
const spec = { selector, template }
const workloads: readonly Kind[] = [deployment, replicaSet, statefulSet, daemonSet]

for (const kind of workloads) {
  test(`a plain ${kind.kind} passes`, async (t) => {
    t.same(createErrors(kind, { spec }), [])
  })

  test(`a ${kind.kind} whose selector misses its own pods is refused`, async (t) => {
    t.same(createErrors(kind, { spec: { ...spec, selector: { matchLabels: { app: 'b' } } } }), [
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ])
  })

  test(`a ${kind.kind} restarts its pods always`, async (t) => {
    const once = { ...template, spec: { ...podSpec, restartPolicy: 'Never' } }
    t.same(createErrors(kind, { spec: { selector, template: once } }), [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ])
  })

  test(`a ${kind.kind} is made with generation and without a client's status`, async (t) => {
    t.ok(kind.tracksGeneration)
    t.notMatch(created(kind, { spec, status: { observedGeneration: 7 } })['status'], {
      observedGeneration: 7,
    })
  })
}

test('a deployment gets what upstream fills in', async (t) => {
  t.match(created(deployment, { spec })['spec'], {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
  })
})

const deployments: readonly (readonly [string, object, readonly string[]])[] = [
  ['without a selector', { selector: undefined }, ['spec.selector: Required value']],
  [
    'with -1 replicas',
    { replicas: -1 },
    ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'that recreates in steps',
    { strategy: { type: 'Recreate', rollingUpdate: {} } },
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    'that may neither grow nor shrink',
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
  ],
  [
    'that is late before it is ready',
    { minReadySeconds: 600 },
    ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
  ],
]

for (const [what, fields, expected] of deployments) {
  test(`a deployment ${what} is refused`, async (t) => {
    const errors = createErrors(deployment, { spec: { ...spec, ...fields } })
    t.same(errors.slice(0, expected.length), expected)
  })
}

test('selectors do not change', async (t) => {
  const other = { matchLabels: { app: 'b' } }
  const next = { selector: other, template: { ...template, metadata: { labels: { app: 'b' } } } }
  for (const kind of [deployment, replicaSet, daemonSet]) {
    t.same(updateErrors(kind, { spec }, { spec: next }), [
      'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    ])
  }
})

test('a deployment’s new annotations are a new generation', async (t) => {
  const old = created(deployment, { spec, metadata: { generation: 3 } })
  const next = changed(deployment, old, { metadata: { ...old.metadata, annotations: { a: 'b' } } })
  t.equal(next.metadata.generation, 4)
})

test('a status that counts more ready replicas than replicas is refused', async (t) => {
  const status = deployment.subresources.find((one) => one.name === 'status')
  const old = created(deployment, { spec })
  t.same(errorTexts(status?.validate?.({ ...old, status: { replicas: 1, readyReplicas: 2 } }, old) ?? []), [
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
  ])
})

test('a deployment’s labels do not change with its status', async (t) => {
  const old = created(deployment, { spec, metadata: { labels: { a: '1' } } })
  const status = deployment.subresources.find((one) => one.name === 'status')
  const merged = status?.merge?.({ ...old, metadata: { labels: {}, annotations: { a: 'b' } } }, old)
  t.same(merged?.metadata.labels, { a: '1' })
  t.same(merged?.metadata.annotations, { a: 'b' })
})

test('the row of a deployment', async (t) => {
  const object = { ...created(deployment, { spec }), status: { readyReplicas: 1, updatedReplicas: 1 } }
  t.same(deployment.cells(object, 0), ['a', '1/1', 1, 0, '<unknown>', 'c', 'x:1', 'app=a'])
})

test('a stateful set may mount its own claims', async (t) => {
  const mounted = {
    ...template,
    spec: { containers: [{ name: 'c', image: 'x:1', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
  }
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  t.same(
    createErrors(statefulSet, { spec: { selector, template: mounted, volumeClaimTemplates: [claim] } }),
    [],
  )
  t.same(createErrors(statefulSet, { spec: { selector, template: mounted } }), [
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
  ])
})

test('a stateful set changes in seven fields only', async (t) => {
  t.same(updateErrors(statefulSet, { spec }, { spec: { ...spec, replicas: 3 } }), [])
  t.same(updateErrors(statefulSet, { spec }, { spec: { ...spec, serviceName: 'other' } }), [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ])
})

test('a daemon set replaces or adds, not both', async (t) => {
  const updateStrategy = { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } }
  t.same(createErrors(daemonSet, { spec: { ...spec, updateStrategy } }), [
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
  ])
})

test('a controller revision keeps its data', async (t) => {
  t.same(createErrors(controllerRevision, { revision: 0 }), ['data: Required value: data is mandatory'])
  t.same(updateErrors(controllerRevision, { revision: 1, data: { a: 1 } }, { data: { a: 2 } }), [
    'data: Invalid value: {"a":2}: field is immutable',
  ])
})

const jobSpec = { template: { spec: { ...podSpec, restartPolicy: 'Never' } } }
const newJob = (fields: object = {}) => ({ metadata: { uid: 'u' }, spec: { ...jobSpec, ...fields } })

test('a job selects its own pods by its uid', async (t) => {
  const object = created(job, newJob())
  t.same(at(object, 'spec', 'selector', 'matchLabels'), { 'batch.kubernetes.io/controller-uid': 'u' })
  t.same(at(object, 'spec', 'template', 'metadata', 'labels'), {
    'job-name': 'a',
    'batch.kubernetes.io/job-name': 'a',
    'controller-uid': 'u',
    'batch.kubernetes.io/controller-uid': 'u',
  })
  t.match(object['spec'], { completions: 1, parallelism: 1, backoffLimit: 6, suspend: false })
  t.same(createErrors(job, newJob()), [])
})

const jobs: readonly (readonly [string, object, readonly string[]])[] = [
  [
    'that restarts its pods always',
    { template: { spec: podSpec } },
    ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  ],
  [
    'with limits by index and no index',
    { backoffLimitPerIndex: 1 },
    ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
  ],
  [
    'with an index and no end',
    { completionMode: 'Indexed', parallelism: 1 },
    ['spec.completions: Required value: when completion mode is Indexed'],
  ],
]

for (const [what, fields, expected] of jobs) {
  test(`a job ${what} is refused`, async (t) => {
    t.same(createErrors(job, newJob(fields)), expected)
  })
}

test('a job’s template does not change, unless it waits', async (t) => {
  const moved = (object: object) => {
    const specFields = fieldsOf(at(object, 'spec'))
    const pod = fieldsOf(at(specFields, 'template', 'spec'))
    return {
      spec: {
        ...specFields,
        template: { ...fieldsOf(specFields['template']), spec: { ...pod, nodeSelector: { zone: 'a' } } },
      },
    }
  }
  const running = created(job, newJob())
  t.match(updateErrors(job, newJob(), moved(running)), [
    /^spec\.template: Invalid value: .*: field is immutable$/,
  ])
  const waiting = created(job, newJob({ suspend: true }))
  t.same(updateErrors(job, newJob({ suspend: true }), moved(waiting)), [])
})

const schedules: readonly (readonly [string, RegExp | undefined])[] = [
  ['*/5 * * * *', undefined],
  ['0 9-17 * jan-mar mon,wed', undefined],
  ['@daily', undefined],
  ['@every 5m', undefined],
  ['* * * *', /expected exactly 5 fields, found 4/],
  ['61 * * * *', /end of range \(61\) above maximum \(59\)/],
  ['x * * * *', /failed to parse int from x/],
  ['TZ=UTC * * * * *', /cannot use TZ or CRON_TZ in schedule/],
]

for (const [schedule, expected] of schedules) {
  test(`the schedule ${schedule} is ${expected === undefined ? 'one' : 'none'}`, async (t) => {
    const errors = createErrors(cronJob, { spec: { schedule, jobTemplate: { spec: jobSpec } } })
    if (expected === undefined) t.same(errors, [])
    else t.match(errors, [expected])
  })
}

test('a cron job’s template gets pods’ defaults and no job’s', async (t) => {
  const object = created(cronJob, { spec: { schedule: '@daily', jobTemplate: { spec: jobSpec } } })
  t.notOk('backoffLimit' in fieldsOf(at(object, 'spec', 'jobTemplate', 'spec')))
  t.equal(at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec', 'dnsPolicy'), 'ClusterFirst')
})
