// What all containers of a pod ask for together: those that run side by side add up, those before them do not.
// Upstream: component-helpers/resource.AggregateContainerRequests.

import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../../api/quantity.ts'
import { type Fields, fieldsOf, itemsOf } from '../fields.ts'

type Amounts = ReadonlyMap<string, Quantity>

export function aggregateRequests(spec: Fields): Amounts {
  let [together, sidecars, highest]: [Amounts, Amounts, Amounts] = [new Map(), new Map(), new Map()]
  for (const container of itemsOf(spec['containers'])) together = sum(together, requestsOf(container))
  for (const container of itemsOf(spec['initContainers'])) {
    const requests = requestsOf(container)
    if (container['restartPolicy'] !== 'Always') {
      highest = greater(highest, sum(requests, sidecars))
      continue
    }
    together = sum(together, requests)
    sidecars = sum(sidecars, requests)
    highest = greater(highest, sidecars)
  }
  return greater(together, highest)
}

function requestsOf(container: Fields): Amounts {
  const found = new Map<string, Quantity>()
  for (const [name, text] of Object.entries(fieldsOf(fieldsOf(container['resources'])['requests']))) {
    const quantity = parseQuantity(text as string)
    if (quantity !== undefined) found.set(name, quantity)
  }
  return found
}

const sum = (left: Amounts, right: Amounts): Amounts => merge(left, right, addQuantities)
const greater = (left: Amounts, right: Amounts): Amounts =>
  merge(left, right, (one, other) => (compareQuantities(one, other) < 0 ? other : one))

function merge(left: Amounts, right: Amounts, join: (one: Quantity, other: Quantity) => Quantity): Amounts {
  const merged = new Map(left)
  for (const [name, quantity] of right) {
    const known = merged.get(name)
    merged.set(name, known === undefined ? quantity : join(known, quantity))
  }
  return merged
}
