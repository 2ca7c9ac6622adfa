// How an object stands, in kstatus' words.

export const statuses = ['Current', 'InProgress', 'Failed', 'Terminating', 'NotFound', 'Unknown'] as const
export type Status = (typeof statuses)[number]

export interface Verdict {
  readonly status: Status
  /** One word; empty when current. */
  readonly reason: string
  readonly message: string
}

export const current = (message = 'the object is current'): Verdict => ({
  status: 'Current',
  reason: '',
  message,
})
export const inProgress = (reason: string, message: string): Verdict => ({
  status: 'InProgress',
  reason,
  message,
})
export const failed = (reason: string, message: string): Verdict => ({ status: 'Failed', reason, message })
export const notFound: Verdict = {
  status: 'NotFound',
  reason: 'NotFound',
  message: 'the object does not exist',
}
export const unknown = (message: string): Verdict => ({ status: 'Unknown', reason: 'Unknown', message })
