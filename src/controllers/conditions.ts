// Lists of conditions, as statuses hold them: one entry a type, with the time of its last change.
// Which conditions an object has is its controller's.

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime?: string | undefined
}

export function findCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type)
}

export function withoutCondition<C extends Condition>(conditions: readonly C[], type: string): readonly C[] {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions
}

/** The time is kept while the status stays. The same list when nothing changes; order is kept. */
export function withCondition<C extends Condition>(
  conditions: readonly C[],
  wanted: C & { readonly lastTransitionTime: string },
): readonly C[] {
  const present = findCondition(conditions, wanted.type)
  if (present === undefined) return [...conditions, wanted]
  const isUnchanged =
    present.status === wanted.status && present.reason === wanted.reason && present.message === wanted.message
  if (isUnchanged) return conditions
  const { lastTransitionTime } = present.status === wanted.status ? present : wanted
  const next = { ...wanted, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }
  return conditions.map((condition) => (condition === present ? next : condition))
}

/** RFC 3339 in UTC with whole seconds, as every time in an object. */
export function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
