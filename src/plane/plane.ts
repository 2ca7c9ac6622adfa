// Opens one control plane: every room gets what it needs, in the order of the spine, and is closed in reverse.
// What runs beside it (sync, releases, the node actor) is started by those who want it.

import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { createAdmission } from '../admission/admission.ts'
import { defaultPlugins } from '../admission/plugins.ts'
import type { Allocator, Door, UserInfo } from '../api/contracts.ts'
import { chainAuthenticators } from '../authn/chain.ts'
import { createClientCertificateAuthenticator } from '../authn/client-certificates.ts'
import { createServiceAccountAuthenticator, createTokenIssuer } from '../authn/service-accounts.ts'
import { createRbacAuthorizer } from '../authz/rbac.ts'
import { Catalog, type ResourceName } from '../catalog/catalog.ts'
import { serveCustomResources } from '../catalog/custom.ts'
import type { Client } from '../client/client.ts'
import { createInProcessClient } from '../client/in-process.ts'
import type { KubeconfigContent } from '../client/kubeconfig-file.ts'
import { startControllers } from '../controllers/start.ts'
import type { ServedResource } from '../deploy/apply/served.ts'
import { builtInKinds } from '../kinds/index.ts'
import type { Kind } from '../kinds/kind.ts'
import { openPki, type Pki } from '../pki/pki.ts'
import { readSigningRequest } from '../pki/request.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Logger, silentLogger } from '../platform/log.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import { Shutdown } from '../platform/shutdown.ts'
import type { SecurityLevel } from '../podsecurity/podsecurity.ts'
import { type AddressRange, createLocalAllocator, firstAddress } from '../server/addresses.ts'
import { createDoor } from '../server/door.ts'
import type { HandlerOptions } from '../server/edge.ts'
import type { RunningServer } from '../server/http.ts'
import type { Upgrade } from '../server/upgrade.ts'
import { openEmbeddedStore } from '../store/embedded/embedded.ts'
import { openMemoryStore } from '../store/memory/memory.ts'
import type { Store } from '../store/store.ts'
import { openWatchCache } from '../watch/cache.ts'
import { bootstrap, serverUser } from './bootstrap.ts'
import { serve, tokenIssuer } from './serve.ts'
import { type EgressWishes, webhookCaller, webhookPlugins } from './webhooks.ts'

const yearMs = 365 * 24 * 3_600_000
const renewalCheckMs = 3_600_000

export interface PlaneOptions {
  /** Where the state is kept; without it the plane lives in memory. */
  readonly dataDirectory?: string | undefined
  /** The port to serve on; without it the plane is reached through its door only. 0 takes any free port. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined
  /** Names and addresses that the serving certificate is valid for, besides localhost. */
  readonly serverNames?:
    | { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] }
    | undefined
  /** Where pods find the API: the endpoints of the `kubernetes` Service. */
  readonly advertise?: { readonly address: string; readonly port?: number | undefined } | undefined
  readonly serviceRange?: AddressRange | undefined
  /** The `kubernetes` Service's cluster IP; the first of the service range unless said. */
  readonly kubernetesIP?: string | undefined
  /** Asks a host for addresses instead of the local range. */
  readonly allocator?: Allocator | undefined
  /** Resources whose removals leave tombstones. */
  readonly synced?: readonly ResourceName[] | undefined
  /** What is served; all built-in kinds unless said. */
  readonly kinds?: readonly Kind[] | undefined
  /** Answers pods/log and its like, for who has the pods; without it they are refused by name. */
  readonly connect?: HandlerOptions['connect'] | undefined
  /** Takes the connections of exec, attach and port-forward, for who has the pods. */
  readonly upgrade?: Upgrade | undefined
  /** What pods are held to in every namespace; nothing unless said. */
  readonly podSecurity?: SecurityLevel | undefined
  /** How webhooks are reached. */
  readonly egress?: EgressWishes | undefined
  /** False for planes that only answer (tests of the API alone). */
  readonly runsControllers?: boolean | undefined
  /** Called once when the disk or the store's thread has failed: nothing can be written any more, so end. */
  readonly onFailure?: ((error: Error) => void) | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly log?: Logger | undefined
}

export interface Plane extends AsyncDisposable {
  readonly door: Door
  /** The data's own name: fresh for every newly made store. */
  readonly epoch: string
  readonly pki: Pki
  /** The port that is served, 0 without one. */
  readonly port: number
  /** `https://127.0.0.1:PORT`, empty without a port. */
  readonly url: string
  /** What is served at this moment and can be listed. */
  served(): readonly ServedResource[]
  /** A client in this process. The default user may do everything. */
  clientFor(user?: UserInfo, userAgent?: string): Client
  /** A kubeconfig with a client certificate for this user, valid for a year unless said; kubeconfigText writes it. */
  kubeconfig(options?: KubeconfigOptions): KubeconfigContent
  close(): Promise<void>
}

export interface KubeconfigOptions {
  readonly name?: string | undefined
  readonly server?: string | undefined
  /** What the server's certificate is valid for when `server` is not. */
  readonly serverName?: string | undefined
  readonly user?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly namespace?: string | undefined
  readonly validityMs?: number | undefined
}

/** Opens a plane. When it rejects, nothing of it is left running. */
export async function openPlane(options: PlaneOptions = {}): Promise<Plane> {
  const { clock = systemClock, log = silentLogger } = options
  const shutdown = new Shutdown({ clock, log })
  try {
    return await open({ ...options, clock, log, random: options.random ?? systemRandom }, shutdown)
  } catch (error) {
    await shutdown.stop()
    throw error
  }
}

type Settled = PlaneOptions & { readonly clock: Clock; readonly log: Logger; readonly random: Random }

async function open(options: Settled, shutdown: Shutdown): Promise<Plane> {
  const { clock, log, random } = options
  const range = options.serviceRange ?? { network: '10.96.0.0', prefix: 16 }
  const kubernetesIP = options.kubernetesIP ?? firstAddress(range)
  const store = await openStore(options)
  shutdown.add('store', store)
  const cache = await openWatchCache({ store, clock, log })
  shutdown.add('watch cache', cache)
  const catalog = new Catalog({
    store,
    cache,
    kinds: options.kinds ?? builtInKinds,
    tombstoned: options.synced ?? [],
  })
  shutdown.add('custom resources', serveCustomResources({ catalog, log }))
  const pki = await openPki({
    ...pkiNames(options, kubernetesIP),
    clock,
    random,
    directory: pkiDirectory(options),
  })

  let hasBootstrapped = false
  const isBootstrapped = (): boolean => hasBootstrapped
  const judges = openDoor({ options, catalog, pki, range, kubernetesIP, isBootstrapped })
  const { door } = judges
  const parts = { ...judges, catalog, pki, isBootstrapped }
  const server = await listen({ options, shutdown, parts })
  const api =
    server === undefined && options.advertise === undefined
      ? undefined
      : {
          address: options.advertise?.address ?? '192.0.2.1',
          port: options.advertise?.port ?? server?.port ?? 443,
          clusterIP: kubernetesIP,
        }
  await bootstrap(door, api, shutdown.signal)
  hasBootstrapped = true
  const clientFor = (user: UserInfo = serverUser, userAgent = 'k3v'): Client =>
    createInProcessClient({ door, user, userAgent })
  const resources = resourceSource(catalog)
  if (options.runsControllers !== false) {
    const controllers = await startControllers({
      clientFor: (name) => clientFor(controllerUser(name), name),
      resources,
      caBundle: () => pki.caPem(),
      authority: () => pki.authority(),
      clock,
      random,
      log,
    })
    shutdown.add('controllers', controllers)
  }
  const close = (): Promise<void> => shutdown.stop()
  const port = server?.port ?? 0
  const url = server === undefined ? '' : `https://127.0.0.1:${port}`
  return {
    door,
    epoch: store.epoch,
    pki,
    port,
    url,
    served: () => resourceSource(catalog).list(),
    clientFor,
    kubeconfig: (wanted = {}) => kubeconfigOf(pki, url, wanted),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface DoorParts {
  readonly options: Settled
  readonly catalog: Catalog
  readonly pki: Pki
  readonly range: AddressRange
  readonly kubernetesIP: string
  readonly isBootstrapped: () => boolean
}

/** The door, and the two judges that the HTTP edge asks as well. */
function openDoor({ options, catalog, pki, range, kubernetesIP, isBootstrapped }: DoorParts) {
  const { clock, log, random, egress = {} } = options
  const { reader } = catalog
  const identity = {
    issuer: tokenIssuer,
    audiences: [tokenIssuer],
    signingKeys: pki.signingKeys,
    reader,
    clock,
  }
  const authenticator = chainAuthenticators([
    createClientCertificateAuthenticator({ authorities: () => [new X509Certificate(pki.caPem())], clock }),
    createServiceAccountAuthenticator(identity),
  ])
  const authorizer = createRbacAuthorizer({ reader })
  const call = webhookCaller({
    catalog,
    wishes: egress,
    usesClusterIPs: options.allocator !== undefined,
    ownHosts: ownHosts(options, kubernetesIP),
    clock,
  })
  const webhooks = webhookPlugins({
    catalog,
    call,
    isUnproved: () => egress.isUnanswered === true,
    // A webhook whose pods wait for this plane must not keep it from starting.
    isOn: isBootstrapped,
    random,
    clock,
    log,
  })
  const podSecurityLevel = options.podSecurity
  const plugins = {
    ...{ reader, authorizer, clock, random, podSecurityLevel, webhooks },
    requestGroups: (pem: string) => readSigningRequest(pem).subject.organizations,
    checkRequest: (pem: string) => void readSigningRequest(pem),
  }
  const door = createDoor({
    catalog,
    authorizer,
    authenticator,
    admission: createAdmission({ plugins: defaultPlugins(plugins) }),
    allocator: options.allocator ?? createLocalAllocator({ reader, range, random, kubernetesIP }),
    tokens: createTokenIssuer({ ...identity, random }),
    clock,
    random,
    log,
  })
  return { door, authenticator, authorizer }
}

function ownHosts({ advertise }: Settled, kubernetesIP: string): readonly string[] {
  const hostApi = process.env['KUBERNETES_SERVICE_HOST']
  return [kubernetesIP, advertise?.address, hostApi].filter((host) => host !== undefined)
}

const openStore = ({ dataDirectory, onFailure, clock, log, random }: Settled): Promise<Store> =>
  dataDirectory === undefined
    ? openMemoryStore({ random, clock })
    : openEmbeddedStore({
        directory: join(dataDirectory, 'store'),
        clock,
        log,
        onFailure: (error) => {
          log.error('the store has failed; the process must end', { error: error.message })
          onFailure?.(error)
        },
      })

const pkiDirectory = ({ dataDirectory }: Settled): string | undefined =>
  dataDirectory === undefined ? undefined : join(dataDirectory, 'pki')

function pkiNames({ serverNames, advertise }: Settled, kubernetesIP: string) {
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ]
  return {
    dnsNames: ['localhost', ...service, ...(serverNames?.dnsNames ?? [])],
    ipAddresses: [
      ...new Set([
        '127.0.0.1',
        kubernetesIP,
        ...(advertise === undefined ? [] : [advertise.address]),
        ...(serverNames?.ipAddresses ?? []),
      ]),
    ],
  }
}

/** Each controller is its own service account, with the bootstrap role of its name. */
const controllerUser = (name: string): UserInfo => ({
  name: `system:serviceaccount:kube-system:${name}`,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
})

function resourceSource(catalog: Catalog) {
  return {
    list: () =>
      catalog
        .kinds()
        .filter((kind) => kind.verbs.includes('list'))
        .map((kind) => ({
          group: kind.group,
          version: kind.version,
          resource: kind.plural,
          kind: kind.kind,
          isNamespaced: kind.isNamespaced,
          verbs: kind.verbs,
        })),
    onChange: (listener: () => void) => catalog.onChange(listener),
  }
}

interface Listening {
  readonly options: Settled
  readonly shutdown: Shutdown
  readonly parts: Omit<Parameters<typeof serve>[0], 'clock' | 'connect' | 'upgrade' | 'log' | 'listen'>
}

async function listen({ options, shutdown, parts }: Listening): Promise<RunningServer | undefined> {
  if (options.listen === undefined) return undefined
  const { connect, upgrade, clock, log } = options
  const server = await serve({ ...parts, listen: options.listen, connect, upgrade, clock, log })
  shutdown.add('server', server)
  shutdown.add('certificate renewal', renewing(options, parts.pki, server))
  return server
}

/** Looks every hour whether a certificate nears its end. */
function renewing({ clock, log }: Settled, pki: Pki, server: RunningServer): () => void {
  let cancel = (): void => undefined
  const check = async (): Promise<void> => {
    try {
      if (await pki.renewIfDue()) {
        const { certificatePem, keyPem } = pki.servingCertificate()
        server.renew({ key: keyPem, cert: certificatePem, ca: pki.caPem() })
      }
    } catch (error) {
      log.error('could not renew certificates; trying again in an hour', { error: String(error) })
    }
    schedule()
  }
  const schedule = (): void => {
    cancel = clock.setTimer(renewalCheckMs, () => void check())
  }
  schedule()
  return () => cancel()
}

function kubeconfigOf(pki: Pki, url: string, wanted: KubeconfigOptions): KubeconfigContent {
  const { user = 'kubernetes-admin', groups = ['system:masters'], validityMs = yearMs } = wanted
  const { certificatePem, keyPem } = pki.issueClientCertificate({ user, groups, validityMs })
  return {
    name: wanted.name ?? 'k3v',
    server: wanted.server ?? url,
    ca: pki.caPem(),
    serverName: wanted.serverName,
    namespace: wanted.namespace,
    user: { certificate: certificatePem, key: keyPem },
  }
}
