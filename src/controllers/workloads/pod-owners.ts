// Which workload a change of a pod concerns: its controller, or for an orphan all whose selectors match it.
// What the workload does about it is its controller's.

import { fromLabelSelectorObject, type LabelSelectorObject } from '../../api/select.ts'
import type { AnyObject } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/objects.ts'
import type { ToKeys } from '../../reconcile/source.ts'
import { controllerOf } from './owners.ts'

interface Selecting extends AnyObject {
  readonly spec?: { readonly selector: LabelSelectorObject } | undefined
}

export function podOwners<T extends Selecting>(workloads: Informer<T>, kind: string): ToKeys<AnyObject> {
  return ({ header }) => {
    const controller = controllerOf({ metadata: header })
    if (controller !== undefined) {
      const key = keyOf({ namespace: header.namespace, name: controller.name })
      return controller.kind === kind && controller.apiVersion.startsWith('apps/') ? [key] : []
    }
    return workloads
      .list(header.namespace)
      .filter(({ spec }) => fromLabelSelectorObject(spec?.selector).matches(header.labels))
      .map(({ metadata }) => keyOf(metadata))
  }
}
