// Server-side apply: merges a configuration into the live object and keeps who owns which field.
// Upstream: apimachinery/pkg/util/managedfields, FieldManager.Apply, and structured-merge-diff's Updater.Apply.

import { type Json, type KubeObject, parseApiVersion } from '../object.ts'
import { badRequest } from '../status.ts'
import { formatTime } from '../time.ts'
import { isList, isObject, isSame, type JsonObject } from '../value.ts'
import { typeProblems } from './check.ts'
import { fieldsIn } from './compare.ts'
import { type Conflict, conflictError, conflictsOf } from './conflict.ts'
import { hasField, isEmptyFields, subtractTrees } from './fields.ts'
import { fieldsOfLastApplied, withLastApplied } from './last-applied.ts'
import {
  decodeManagers,
  encodeManagers,
  identityOf,
  type Manager,
  type Managers,
  noManagers,
  withoutEmpty,
} from './managers.ts'
import { mergeObjects } from './merge.ts'
import { reconcileManagers, type Setting, settingOf, settle, withoutIdentity } from './ownership.ts'
import { prune } from './prune.ts'
import { withoutEmptied } from './remove.ts'
import { afterUpdate, keepTimes, plain, unsetObject, type Write, withManagedFields } from './update.ts'

export interface Apply extends Write {
  /** Undefined when the apply creates the object. */
  readonly live: KubeObject | undefined
  /** The body as sent, before defaults and before unknown fields are dropped. */
  readonly patch: Json
  readonly kind: string
  /** Takes what others own instead of answering 409. */
  readonly force: boolean
}

/**
 * The merged object with its managedFields. Its resourceVersion and uid are the patch's where that has them: comparing
 * them with the live object is for the caller. Throws 400 for a malformed patch, 409 for conflicts.
 */
export function applyPatch(apply: Apply): { readonly object: KubeObject } {
  const config = checkedConfig(apply)
  const { live, manager: name, apiVersion, kind, subresource } = apply
  const setting = settingOf(apply)
  const problems = typeProblems(config, setting.schema)
  if (problems.length > 0) throw untypable(config, apply, problems)
  const before = live === undefined ? { apiVersion, kind, metadata: {} } : plain(live)
  const managers = live === undefined ? noManagers : managersOf(live, { before, apply, setting })
  const self = identityOf({ name, operation: 'Apply', apiVersion, subresource })
  const result = mergeAndSettle({ before, config, managers, self, apply, setting })
  refuseConflicts(result.conflicts, before, apply, setting)
  const merged = name === 'kubectl' ? withLastApplied(result.object, config) : result.object
  const next = withManagedFields(merged as unknown as KubeObject, encodeManagers(result.managers))
  return { object: live === undefined ? next : keepTimes(next, live) }
}

function checkedConfig({ patch, apiVersion, kind }: Apply): JsonObject {
  if (!isObject(patch)) {
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${isList(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    )
  }
  if (patch['apiVersion'] !== apiVersion || patch['kind'] !== kind) {
    const given = typeof patch['apiVersion'] === 'string' ? patch['apiVersion'] : ''
    throw badRequest(`invalid object type: ${kindText(given, String(patch['kind'] ?? ''))}`)
  }
  const { metadata } = patch
  if (metadata !== undefined && !isObject(metadata)) throw badRequest('metadata must be an object')
  if (isList(metadata?.['managedFields'])) throw badRequest('metadata.managedFields must be nil')
  return metadata === undefined ? { ...patch, metadata: {} } : patch
}

/** `apps/v1, Kind=Deployment`, as Go prints it. */
function kindText(apiVersion: string, kind: string): string {
  const { group, version } = parseApiVersion(apiVersion)
  return `${group}/${version}, Kind=${kind}`
}

function untypable(config: JsonObject, { apiVersion, kind }: Apply, problems: readonly string[]): Error {
  const metadata = isObject(config['metadata']) ? config['metadata'] : {}
  const shown = `${String(metadata['namespace'] ?? '')}/${String(metadata['name'] ?? '')}; ${kindText(apiVersion, kind)}`
  const text =
    problems.length === 1 ? problems[0] : ['errors:', ...problems.map((one) => `  ${one}`)].join('\n')
  return badRequest(`failed to create typed patch object (${shown}): ${text}`)
}

/** What stands in an object that nobody tracked belongs to `before-first-apply`. */
function managersOf(
  live: KubeObject,
  {
    before,
    apply,
    setting,
  }: {
    readonly before: JsonObject
    readonly apply: Apply
    readonly setting: Setting
  },
): Managers {
  const managers = decodeManagers(live.metadata.managedFields) ?? noManagers
  if (managers.size > 0) return managers
  const write = { ...apply, manager: 'before-first-apply' }
  const { apiVersion, kind } = apply
  const unset = { ...unsetObject(apply.schema), apiVersion, kind }
  return afterUpdate({ live: unset, next: before, managers, write, setting })
}

function mergeAndSettle({
  before,
  config,
  managers: given,
  self,
  apply,
  setting,
}: {
  readonly before: JsonObject
  readonly config: JsonObject
  readonly managers: Managers
  readonly self: string
  readonly apply: Apply
  readonly setting: Setting
}): { readonly object: JsonObject; readonly managers: Managers; readonly conflicts: readonly Conflict[] } {
  const managers = reconcileManagers(before, given, setting)
  const merged = mergeObjects(before, config, setting.schema)
  const last = managers.get(self)
  const mine: Manager = {
    name: apply.manager,
    operation: 'Apply',
    apiVersion: apply.apiVersion,
    subresource: apply.subresource,
    time: last?.time,
    fields: subtractTrees(fieldsIn(config, setting.schema), setting.excluded),
  }
  const claimed = new Map(managers).set(self, mine)
  const object = prune({ merged, managers: claimed, last, setting })
  const settled = settle({ live: before, next: object, managers: claimed, self, setting })
  const isNoop = isSame(before, object) && last !== undefined
  const owned: Manager = {
    ...mine,
    time: isNoop ? last.time : formatTime(apply.now),
    fields: withoutIdentity(mine.fields),
  }
  return {
    object: withoutEmptied(object, merged),
    managers: withoutEmpty(new Map(settled.managers).set(self, owned)),
    conflicts: conflictsOf(settled.taken),
  }
}

/** Throws 409, unless forced or, for kubectl, unless client-side apply had set what is now taken. */
function refuseConflicts(
  conflicts: readonly Conflict[],
  before: JsonObject,
  apply: Apply,
  setting: Setting,
): void {
  if (conflicts.length === 0 || apply.force) return
  const allowed = apply.manager === 'kubectl' ? fieldsOfLastApplied(before, setting) : undefined
  if (allowed === undefined || isEmptyFields(allowed)) throw conflictError(conflicts)
  const left = conflicts.filter(({ path }) => !hasField(allowed, path))
  if (left.length > 0) throw conflictError(left)
}
