// A pod's quality of service class, from what its containers ask for.
// Upstream: pkg/apis/core/helper/qos.

import { amountOf } from '../amounts.ts'
import { type Fields, fieldsOf, isPresent, itemsOf } from '../fields.ts'

const resources = ['cpu', 'memory'] as const

export function qosClass(spec: Fields): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const all = isPresent(spec['resources'])
    ? [fieldsOf(spec['resources'])]
    : [...itemsOf(spec['containers']), ...itemsOf(spec['initContainers'])].map((container) =>
        fieldsOf(container['resources']),
      )
  const requests = sums(all, 'requests')
  const limits = sums(all, 'limits')
  if (requests.size === 0 && limits.size === 0) return 'BestEffort'
  const isLimited = all.every((one) => resources.every((name) => amountIn(one['limits'], name) > 0n))
  const isEqual =
    requests.size === limits.size && [...requests].every(([name, sum]) => limits.get(name) === sum)
  return isLimited && isEqual ? 'Guaranteed' : 'Burstable'
}

function sums(all: readonly Fields[], list: 'requests' | 'limits'): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint>()
  for (const one of all) {
    for (const name of resources) {
      const amount = amountIn(one[list], name)
      if (amount > 0n) found.set(name, (found.get(name) ?? 0n) + amount)
    }
  }
  return found
}

const amountIn = (list: unknown, name: string): bigint => amountOf(fieldsOf(list)[name]) ?? 0n
