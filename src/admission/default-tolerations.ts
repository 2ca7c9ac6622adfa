// DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or out of reach.
// Upstream: plugin/pkg/admission/defaulttolerationseconds.

import type { AdmissionPlugin } from '../api/contracts.ts'
import { podSpecOf, type Toleration, withSpec } from './pod.ts'
import { isAbout } from './refuse.ts'

const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const
const tolerationSeconds = 300

export function defaultTolerations(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    mutate: async (request) => {
      const pod = request.object ?? { metadata: {} }
      if (!isAbout(request, '', 'pods')) return pod
      const tolerations = podSpecOf(pod).tolerations ?? []
      const missing = taints.filter((taint) => !tolerations.some((one) => tolerates(one, taint)))
      if (missing.length === 0) return pod
      const added = missing.map((key) => ({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds,
      }))
      return withSpec(pod, { tolerations: [...tolerations, ...added] })
    },
  }
}

// Without a key or an effect a toleration means all of them.
function tolerates({ key = '', effect = '' }: Toleration, taint: string): boolean {
  return (key === '' || key === taint) && (effect === '' || effect === 'NoExecute')
}
