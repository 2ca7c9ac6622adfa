// Replication controllers: replica sets under their first name, whose selector is a plain map of labels.
// All that is done for them is replica-sets.ts's.

import type { ReplicationController } from '../../api/models.ts'
import { replicationControllers } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import type { Context } from '../context.ts'
import { type ReplicaKind, startReplicas } from './replica-sets.ts'

const replicationControllerKind: ReplicaKind<ReplicationController> = {
  name: 'replication-controller',
  ownerKind: { apiVersion: 'v1', kind: 'ReplicationController' },
  group: '',
  resource: replicationControllers,
  toSet: ({ metadata, spec, status }) => ({
    metadata,
    spec: { ...spec, selector: { matchLabels: spec?.selector ?? {} } },
    ...(status === undefined ? {} : { status }),
  }),
  // Pods on their way out are not told of here.
  withStatus: (object, { terminatingReplicas: _, ...status }) => ({ ...object, status }),
}

export function startReplicationControllers(context: Context): Controller {
  return startReplicas(context, replicationControllerKind)
}
