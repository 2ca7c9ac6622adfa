// The kinds that a plane serves, one line each; their rules stand in their files.

import { controllerRevision } from './apps/controller-revision.ts'
import { daemonSet } from './apps/daemon-set.ts'
import { deployment } from './apps/deployment.ts'
import { replicaSet } from './apps/replica-set.ts'
import { statefulSet } from './apps/stateful-set.ts'
import { configMap } from './core/config-map.ts'
import { endpoints } from './core/endpoints.ts'
import { namespace } from './core/namespace.ts'
import { node } from './core/node.ts'
import { persistentVolume } from './core/persistent-volume.ts'
import { persistentVolumeClaim } from './core/persistent-volume-claim.ts'
import { podTemplate } from './core/pod-template.ts'
import { replicationController } from './core/replication-controller.ts'
import { secret } from './core/secret.ts'
import { service } from './core/service.ts'
import { serviceAccount } from './core/service-account.ts'
import type { Kind } from './kind.ts'
import { pod } from './pods/pod.ts'

export const builtInKinds: readonly Kind[] = [
  namespace,
  configMap,
  secret,
  service,
  endpoints,
  serviceAccount,
  pod,
  podTemplate,
  node,
  persistentVolumeClaim,
  persistentVolume,
  replicationController,
  deployment,
  replicaSet,
  statefulSet,
  daemonSet,
  controllerRevision,
]
