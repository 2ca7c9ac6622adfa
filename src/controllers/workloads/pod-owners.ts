// Which workload a change of a pod concerns: its controller, or for an orphan all whose selectors match it.
// What the workload does about it is its controller's.

import { fromLabelSelectorObject, type LabelSelectorObject } from '../../api/select.ts'
import type { AnyObject } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/objects.ts'
import type { ToKeys } from '../../reconcile/source.ts'
import { controllerOf } from './owners.ts'

interface Selecting extends AnyObject {
  readonly spec?:
    | { readonly selector?: LabelSelectorObject | Readonly<Record<string, string>> | undefined }
    | undefined
}

/** The group of the workloads, `apps` unless said; a plain map of labels is the selector of the core group. */
export function podOwners<T extends Selecting>(
  workloads: Informer<T>,
  kind: string,
  { group = 'apps' }: { readonly group?: string } = {},
): ToKeys<AnyObject> {
  const prefix = group === '' ? 'v1' : `${group}/`
  const selectorOf = ({ spec }: T) =>
    group === ''
      ? { matchLabels: (spec?.selector ?? {}) as Readonly<Record<string, string>> }
      : (spec?.selector as LabelSelectorObject | undefined)
  return ({ header }) => {
    const controller = controllerOf({ metadata: header })
    if (controller !== undefined) {
      const key = keyOf({ namespace: header.namespace, name: controller.name })
      return controller.kind === kind && controller.apiVersion.startsWith(prefix) ? [key] : []
    }
    return workloads
      .list(header.namespace)
      .filter((workload) => fromLabelSelectorObject(selectorOf(workload)).matches(header.labels))
      .map(({ metadata }) => keyOf(metadata))
  }
}
