// What a pod asks for as a whole: its containers, those that run beside them, and those that run before.
// Upstream: k8s.io/component-helpers/resource (PodRequests, PodLimits). Pod-level amounts come before containers' sums.

import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../quantity.ts'

/** By resource name. */
export type Amounts = Readonly<Record<string, Quantity>>

type Written = Readonly<Record<string, number | string>> | null | undefined
type Resources = { readonly requests?: Written; readonly limits?: Written } | null | undefined
type Container = { readonly resources?: Resources; readonly restartPolicy?: string }
export type PodResources = {
  readonly containers?: readonly Container[] | null
  readonly initContainers?: readonly Container[] | null
  readonly resources?: Resources
  readonly overhead?: Written
}

export function readAmounts(written: Written): Amounts {
  const entries = Object.entries(written ?? {}).flatMap(([name, value]) => {
    const quantity = parseQuantity(value)
    return quantity === undefined ? [] : [[name, quantity] as const]
  })
  return Object.fromEntries(entries)
}

export function podAmounts(spec: PodResources, which: 'limits' | 'requests'): Amounts {
  const of = (container: Container): Amounts => readAmounts(container.resources?.[which])
  const containers = (spec.containers ?? []).map(of).reduce(addAmounts, {})
  let beside: Amounts = {}
  let before: Amounts = {}
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      beside = addAmounts(beside, of(container))
      before = higherAmounts(before, beside)
    } else before = higherAmounts(before, addAmounts(beside, of(container)))
  }
  const sum = higherAmounts(addAmounts(containers, beside), before)
  const whole = { ...sum, ...readAmounts(spec.resources?.[which]) }
  const overhead = readAmounts(spec.overhead)
  if (which === 'requests') return addAmounts(whole, overhead)
  // A pod without a limit stays without one.
  const added = Object.entries(overhead).filter(([name]) => Object.hasOwn(whole, name))
  return addAmounts(whole, Object.fromEntries(added))
}

export function addAmounts(left: Amounts, right: Amounts): Amounts {
  return merge(left, right, addQuantities)
}

const higherAmounts = (left: Amounts, right: Amounts): Amounts =>
  merge(left, right, (one, other) => (compareQuantities(one, other) >= 0 ? one : other))

function merge(left: Amounts, right: Amounts, both: (one: Quantity, other: Quantity) => Quantity): Amounts {
  const merged: Record<string, Quantity> = { ...left }
  for (const [name, quantity] of Object.entries(right)) {
    const before = merged[name]
    merged[name] = before === undefined ? quantity : both(before, quantity)
  }
  return merged
}
