// What a release's plane is granted on its host: the Role that deploy applies.
// The rules are sync/'s; this file lets commands ask for them without knowing sync.

import type { PolicyRule } from '../api/contracts.ts'
import { roleRules } from '../sync/rights.ts'

export const releaseRules = (): readonly PolicyRule[] => roleRules() as readonly PolicyRule[]
