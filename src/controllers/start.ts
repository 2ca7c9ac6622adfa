// Starts every controller of a plane over shared copies of its objects, and stops them together.
// What each one does stands in its own file.

import { startCronJobs } from './batch/cron-jobs.ts'
import { startJobOrphans } from './batch/job-orphans.ts'
import { startJobs } from './batch/jobs.ts'
import { startTtlAfterFinished } from './batch/ttl-after-finished.ts'
import { startSigningRequests } from './certificates/signing-requests.ts'
import { type ControllersOptions, createContext } from './context.ts'
import { startCustomResourceDefinitions } from './custom-resource-definitions.ts'
import { startDaemonSets } from './daemons/daemon-sets.ts'
import { startClusterRoleAggregation } from './identity/cluster-role-aggregation.ts'
import { startRootCaPublisher } from './identity/root-ca.ts'
import { startServiceAccounts } from './identity/service-accounts.ts'
import { startDisruption } from './lifecycle/disruption.ts'
import { startEventExpiry } from './lifecycle/event-expiry.ts'
import { startGarbage } from './lifecycle/garbage.ts'
import { startNamespaces } from './lifecycle/namespaces.ts'
import { startResourceQuotas } from './lifecycle/resource-quota.ts'
import { startEndpointMirroring } from './network/endpoint-mirroring.ts'
import { startEndpointSlices } from './network/endpoint-slices.ts'
import { startEndpoints } from './network/endpoints.ts'
import { startDeployments } from './workloads/deployments.ts'
import { startReplicaSets } from './workloads/replica-sets.ts'
import { startReplicationControllers } from './workloads/replication-controllers.ts'
import { startStatefulSets } from './workloads/stateful-sets.ts'

/** Resolves when all controllers are set up; each begins when its copies are complete. */
export async function startControllers(options: ControllersOptions): Promise<AsyncDisposable> {
  const context = createContext(options)
  const controllers = [
    startServiceAccounts(context),
    startRootCaPublisher(context),
    startClusterRoleAggregation(context),
    startCustomResourceDefinitions(context),
    startNamespaces(context),
    startGarbage(context),
    startEventExpiry(context),
    startDisruption(context),
    startResourceQuotas(context),
    startReplicaSets(context),
    startReplicationControllers(context),
    startDeployments(context),
    startStatefulSets(context),
    startDaemonSets(context),
    startJobs(context),
    startJobOrphans(context),
    startTtlAfterFinished(context),
    startCronJobs(context),
    startSigningRequests(context),
    startEndpoints(context),
    startEndpointSlices(context),
    startEndpointMirroring(context),
  ]
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(controllers.map((controller) => controller[Symbol.asyncDispose]()))
      await context[Symbol.asyncDispose]()
    },
  }
}
