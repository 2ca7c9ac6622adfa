// Table cells of workloads: the containers and images of their template, and their selector.

import { fromLabelSelectorObject, type LabelSelectorObject } from '../../api/select.ts'
import { ApiError } from '../../api/status.ts'
import { at, itemsOf, textOf } from '../fields.ts'

/** Names and images of a pod spec's containers, as two cells. */
export function containerCells(podSpec: unknown): readonly [string, string] {
  const containers = itemsOf(at(podSpec, 'containers'))
  const join = (name: string) => containers.map((container) => textOf(container[name])).join(',')
  return [join('name'), join('image')]
}

export function selectorCell(selector: unknown): string {
  try {
    const parsed = fromLabelSelectorObject(selector as LabelSelectorObject | undefined)
    return parsed.text === '' ? '<none>' : parsed.text
  } catch (error) {
    if (error instanceof ApiError) return '<error>'
    throw error
  }
}
