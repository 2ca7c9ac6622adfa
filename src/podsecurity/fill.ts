// Fills what the restricted level asks for and a pod did not say, where no answer but one is possible.
// What a pod did say stays, to be judged.

import type { Container, PodSpec } from '../api/models.ts'

export function fillRestricted(spec: PodSpec): PodSpec {
  if (spec.os?.name === 'windows') return spec
  const { securityContext = {} } = spec
  return {
    ...spec,
    securityContext: { ...securityContext, seccompProfile: securityContext.seccompProfile ?? runtimeDefault },
    containers: spec.containers.map(fillContainer),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(fillContainer) }),
  }
}

const runtimeDefault = { type: 'RuntimeDefault' }

function fillContainer(container: Container): Container {
  const { securityContext = {} } = container
  const { allowPrivilegeEscalation = false, capabilities = {} } = securityContext
  return {
    ...container,
    securityContext: {
      ...securityContext,
      allowPrivilegeEscalation,
      capabilities: { ...capabilities, drop: capabilities.drop ?? ['ALL'] },
    },
  }
}
