import t from 'tap'
import type { Container, PodSpec } from '../../src/api/models.ts'
import { judgePod, type SecurityLevel, violationText } from '../../src/podsecurity/podsecurity.ts'

type Security = NonNullable<Container['securityContext']>

const hardened: Security = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
}
const withContainer = (securityContext: Security, spec: Partial<PodSpec> = {}): PodSpec => ({
  ...spec,
  containers: [{ name: 'a', image: 'x', securityContext }],
})
const withPod = (spec: Partial<PodSpec>): PodSpec => withContainer(hardened, spec)
const judge = (spec: PodSpec, level: SecurityLevel, annotations = {}) =>
  judgePod({ metadata: { name: 'p', annotations }, spec }, level)
const textOf = (spec: PodSpec, level: SecurityLevel, annotations = {}): string =>
  judge(spec, level, annotations)
    .map(({ reason, detail }) => `${reason} (${detail})`)
    .join(', ')

t.test('a plain pod passes baseline, a hardened one restricted, and anything privileged', async (t) => {
  t.strictSame(judge({ containers: [{ name: 'a', image: 'x' }] }, 'baseline'), [])
  t.strictSame(judge(withPod({}), 'restricted'), [])
  t.strictSame(judge(withContainer({ privileged: true }), 'privileged'), [])
})

const baseline: readonly (readonly [string, PodSpec, string])[] = [
  [
    'hostNetwork',
    withPod({ hostNetwork: true, hostPID: true, hostIPC: true }),
    'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
  ],
  [
    'privileged',
    withContainer({ ...hardened, privileged: true }),
    'privileged (container "a" must not set securityContext.privileged=true)',
  ],
  [
    'hostPath',
    withPod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    'hostPath volumes (volume "v")',
  ],
  [
    'hostPort',
    withPod({
      initContainers: [
        { name: 'i', image: 'x', securityContext: hardened, ports: [{ containerPort: 1, hostPort: 80 }] },
      ],
    }),
    'hostPort (container "i" uses hostPort 80)',
  ],
  [
    'capabilities',
    withContainer({ ...hardened, capabilities: { drop: ['ALL'], add: ['SYS_ADMIN', 'CHOWN'] } }),
    'non-default capabilities (container "a" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
  ],
  [
    'procMount',
    withContainer({ ...hardened, procMount: 'Unmasked' }),
    'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  ],
  [
    'seccomp',
    withContainer({ ...hardened, seccompProfile: { type: 'Unconfined' } }),
    'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    'SELinux',
    withPod({ securityContext: { seLinuxOptions: { type: 'spc_t', user: 'u', role: 'r' } } }),
    'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
  ],
  [
    'sysctl',
    withPod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
    'forbidden sysctls (kernel.msgmax)',
  ],
  [
    'HostProcess',
    withPod({ securityContext: { windowsOptions: { hostProcess: true } } }),
    'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
  ],
  [
    'AppArmor',
    withPod({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
    'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
  ],
  [
    'probe host',
    {
      containers: [
        {
          name: 'a',
          image: 'x',
          securityContext: hardened,
          livenessProbe: { httpGet: { host: '10.0.0.1', port: 1 } },
        },
      ],
    },
    'probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")',
  ],
]

for (const [name, spec, text] of baseline) {
  t.test(`A1 baseline forbids: ${name}`, async (t) => {
    t.equal(textOf(spec, 'baseline'), text)
    t.ok(judge(spec, 'restricted').length > 0, 'and so does restricted')
  })
}

t.test('baseline reads the old annotations for AppArmor', async (t) => {
  const key = 'container.apparmor.security.beta.kubernetes.io/a'
  t.equal(judge(withPod({}), 'baseline', { [key]: 'unconfined' }).length, 1)
  t.equal(judge(withPod({}), 'baseline', { [key]: 'localhost/mine' }).length, 0)
})

t.test('A1 ephemeral containers are judged like any', async (t) => {
  const ephemeralContainers = [{ name: 'e', securityContext: { privileged: true } }]
  t.match(textOf(withPod({ ephemeralContainers }), 'baseline'), /^privileged \(container "e"/)
})

const restricted: readonly (readonly [string, PodSpec, string])[] = [
  [
    'escalation',
    withContainer({ ...hardened, allowPrivilegeEscalation: undefined }),
    'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
  ],
  [
    'capabilities kept',
    withContainer({ ...hardened, capabilities: { add: ['NET_BIND_SERVICE'] } }),
    'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"])',
  ],
  [
    'capabilities added',
    withContainer({ ...hardened, capabilities: { drop: ['ALL'], add: ['CHOWN'] } }),
    'unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add)',
  ],
  [
    'volumes',
    withPod({ volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }),
    'restricted volume types (volume "v" uses restricted volume type "nfs")',
  ],
  [
    'root allowed',
    withContainer({ ...hardened, runAsNonRoot: undefined }),
    'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
  ],
  [
    'root asked for',
    withContainer({ ...hardened, runAsNonRoot: false }),
    'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
  ],
  [
    'user 0',
    withContainer({ ...hardened, runAsUser: 0 }),
    'runAsUser=0 (container "a" must not set runAsUser=0)',
  ],
  [
    'no seccomp profile',
    withContainer({ ...hardened, seccompProfile: undefined }),
    'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
]

for (const [name, spec, text] of restricted) {
  t.test(`A1 restricted forbids, and baseline allows: ${name}`, async (t) => {
    t.equal(textOf(spec, 'restricted'), text)
    t.strictSame(judge(spec, 'baseline'), [])
  })
}

t.test('what the pod says holds for containers that say nothing', async (t) => {
  const spec = withContainer(
    { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
  )
  t.strictSame(judge(spec, 'restricted'), [])
})

t.test('a pod in a user namespace of its own may be root there', async (t) => {
  const spec = withContainer({ ...hardened, runAsNonRoot: false, runAsUser: 0 }, { hostUsers: false })
  t.strictSame(judge(spec, 'restricted'), [])
})

t.test('a pod for Windows is not asked for what Windows does not have', async (t) => {
  const spec = withContainer({ runAsNonRoot: true }, { os: { name: 'windows' } })
  t.strictSame(judge(spec, 'restricted'), [])
})

t.test('violationText() speaks as upstream does, and each violation names its fields', async (t) => {
  const violations = judge(withContainer({ privileged: true }), 'baseline')
  t.equal(
    violationText(violations, 'baseline'),
    'violates PodSecurity "baseline:latest": privileged (container "a" must not set securityContext.privileged=true)',
  )
  t.strictSame(violations[0]?.fields, ['spec.containers[0].securityContext.privileged'])
})
