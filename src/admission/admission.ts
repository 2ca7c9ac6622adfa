// Runs the plugins over one request: first all that change the object, one after the other, then all that judge it.
// When each of the two steps comes is server/'s.

import assert from 'node:assert/strict'
import type { AdmissionPlugin, AdmissionRequest } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'

export interface Admission {
  /** The object as the plugins left it; the request must have one. Throws ApiError when one refuses. */
  mutate(request: AdmissionRequest): Promise<KubeObject>
  /** Throws ApiError when a plugin refuses. */
  validate(request: AdmissionRequest): Promise<void>
}

/** Plugins run in the order given; a later one sees what an earlier one did. */
export function createAdmission({ plugins }: { readonly plugins: readonly AdmissionPlugin[] }): Admission {
  const mutating = plugins.flatMap(({ mutate }) => (mutate === undefined ? [] : [mutate]))
  const validating = plugins.flatMap(({ validate }) => (validate === undefined ? [] : [validate]))
  return {
    mutate: async (request) => {
      assert(request.object !== undefined, 'what is deleted is not changed on its way out')
      const memory = new Map<string, unknown>()
      let isAsked = false
      const run = async (start: KubeObject, isAgain: boolean): Promise<KubeObject> => {
        const askAgain = (): void => {
          isAsked = true
        }
        const round = { isAgain, memory, askAgain }
        let object = start
        for (const mutate of mutating) object = await mutate({ ...request, object, round })
        return object
      }
      const once = await run(request.object, false)
      // Twice at most, as upstream: plugins that never agree must not keep a request forever.
      return isAsked ? run(once, true) : once
    },
    validate: async (request) => {
      for (const validate of validating) await validate(request)
    },
  }
}
