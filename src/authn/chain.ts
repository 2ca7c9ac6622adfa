// Asks each authenticator in turn, and makes of the answer a user with the groups that everyone has.
// Bad credentials are never taken for none.

import type { Authenticator, TokenVerdict, UserInfo } from '../api/contracts.ts'
import { ApiError, unauthorized } from '../api/status.ts'

export const anonymousUser: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** The first that knows the credentials decides; one that calls them bad does not stop those after it. */
export function chainAuthenticators(authenticators: readonly Authenticator[]): Authenticator {
  return {
    authenticate: async (credentials) => {
      let isRefused = credentials.bearerToken !== undefined
      for (const authenticator of authenticators) {
        try {
          const user = await authenticator.authenticate(credentials)
          if (user !== undefined) return withEveryone(user)
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
          isRefused = true
        }
      }
      if (isRefused) throw unauthorized()
      return anonymousUser
    },
    reviewToken: async (token, audiences) => {
      let error = ''
      for (const { reviewToken } of authenticators) {
        const verdict: TokenVerdict = (await reviewToken?.(token, audiences)) ?? { ok: false, error: '' }
        if (verdict.ok) return { ...verdict, user: withEveryone(verdict.user) }
        error ||= verdict.error
      }
      return { ok: false, error }
    },
  }
}

function withEveryone(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated'))
    return user
  return { ...user, groups: [...user.groups, 'system:authenticated'] }
}
