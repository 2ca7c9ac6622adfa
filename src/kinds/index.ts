// The kinds that a plane serves, one line each; their rules stand in their files.

import { configMap } from './core/config-map.ts'
import { namespace } from './core/namespace.ts'
import { secret } from './core/secret.ts'
import type { Kind } from './kind.ts'

export const builtInKinds: readonly Kind[] = [namespace, configMap, secret]
