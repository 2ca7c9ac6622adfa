// Lets pods go that a job held for counting and that nobody will count any more: the job is gone, or finished.
// Upstream: the orphan queue of pkg/controller/job.

import { keyOf } from '../../client/objects.ts'
import { jobs as jobResource, pods as podResource } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'
import { controllerIndex, controllerOf, indexByController } from '../workloads/owners.ts'
import { takeTrackingFinalizer } from './job-actions.ts'
import { hasTrackingFinalizer, isJobFinished, isManagedElsewhere, trackingFinalizer } from './job-pods.ts'

export function startJobOrphans({ clientFor, control, informers }: Context): Controller {
  const client = clientFor('job-controller')
  const jobs = informers.of(jobResource)
  const pods = informers.of(podResource)
  pods.addIndex(controllerIndex, indexByController)
  return control({
    name: 'job-orphans',
    sources: [
      fromInformer(pods, ({ header }) =>
        header.finalizers.includes(trackingFinalizer) ? [keyOf(header)] : [],
      ),
      fromInformer(jobs, ({ header }) =>
        pods
          .versionsByIndex(controllerIndex, header.uid)
          .filter((pod) => pod.header.finalizers.includes(trackingFinalizer))
          .map((pod) => keyOf(pod.header)),
      ),
    ],
    reconcile: async (key, { signal }) => {
      const pod = pods.version(key)?.object
      if (pod === undefined || !hasTrackingFinalizer(pod)) return undefined
      const owner = controllerOf(pod)
      if (owner !== undefined) {
        if (owner.kind !== 'Job' || !owner.apiVersion.startsWith('batch/')) return undefined
        const job = jobs.get(pod.metadata.namespace ?? '', owner.name)
        const isSame = job?.metadata.uid === owner.uid
        if (job !== undefined && isSame && (!isJobFinished(job) || isManagedElsewhere(job))) return undefined
      }
      await takeTrackingFinalizer(client, pod, signal)
      return undefined
    },
  })
}
