// A package's own word on when its custom resources are ready: an expression over the object for each kind.
// The expression language is handed in; what kstatus sees anyway (deletion, failure) goes before it.

import type { KubeObject } from '../../api/object.ts'
import type { HealthRule } from '../../packages/manifest/manifest.ts'
import { current, inProgress, type Verdict } from './verdict.ts'

/** Throws for an expression that is none. The function throws when the object lacks what it asks for. */
export type CompileExpression = (expression: string) => (self: KubeObject) => unknown

/** Undefined for kinds without a rule. An expression that cannot be answered yet is not true yet. */
export function createHealthJudge(
  rules: readonly HealthRule[],
  compile: CompileExpression,
): (object: KubeObject) => Verdict | undefined {
  const compiled = rules.map(({ apiVersion, kind, ready }) => ({
    apiVersion,
    kind,
    ready,
    evaluate: compile(ready),
  }))
  return (object) => {
    const rule = compiled.find(
      ({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind,
    )
    if (rule === undefined) return undefined
    try {
      if (rule.evaluate(object) === true) return current('the package’s health rule holds')
      return inProgress('NotHealthy', `not true yet: ${rule.ready}`)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      return inProgress('NotHealthy', `cannot be judged yet: ${rule.ready}: ${detail}`)
    }
  }
}
