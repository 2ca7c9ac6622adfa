// The brake: how much may be deleted because something is absent, before that looks like a lost store or host.
// Deletes that have a tombstone never ask.

export interface BrakeDecision {
  readonly isAllowed: boolean
  readonly limit: number
}

const floor = 10
const share = 0.1

/** Ten may always go, or a tenth of what there is. */
export function brake({ absent, all }: { readonly absent: number; readonly all: number }): BrakeDecision {
  const limit = Math.max(floor, Math.floor(all * share))
  return { isAllowed: absent <= limit, limit }
}
