// Checks a value against a structural schema, with the errors that kubectl shows for kube-apiserver.
// Upstream: kube-openapi/pkg/validation/validate; unchanged values of an update pass (CRDValidationRatcheting).

import type { Schema } from '../api/schema.ts'
import type { FieldError } from '../api/status.ts'
import { type Fields, isFields } from '../kinds/fields.ts'
import { sameJson } from './copy.ts'
import * as problem from './problem.ts'
import { type Problem, toFieldErrors, unplaced } from './problem.ts'
import { isUnchanged, type Old, oldField, oldItems, oldProperty } from './ratchet.ts'
import { isObjectMeta, noValue } from './structural.ts'
import { checkNumber, checkText, checkType, formatOf, typesOf } from './validate-scalar.ts'

export interface ValidateOptions {
  /** What stood there before; absent on create. */
  readonly old?: { readonly value: unknown } | undefined
  /** Where the value stands: `status`, or a default's path. */
  readonly base?: string | undefined
}

/** A value that takes more steps than these to check is refused: it would hold up everybody else. */
export const validationStepsMax = 4_000_000
const problemsMax = 200

export function validateSchema(
  value: unknown,
  schema: Schema,
  options: ValidateOptions = {},
): readonly FieldError[] {
  const { old, base = '' } = options
  const walk = new Walk()
  const { problems } = walk.node(value, schema, { path: '', old })
  const all = walk.isCutOff ? [...problems, unplaced(cutOffText)] : problems
  return all.length === 0 ? [] : toFieldErrors(all, base)
}

const cutOffText = 'the object takes too long to check against the schema of its CustomResourceDefinition'

interface Place {
  readonly path: string
  readonly old: Old
}

interface Outcome {
  readonly problems: readonly Problem[]
  /** How much of the schema was gone through: of several branches that fail the one with most is reported. */
  readonly matches: number
}

class Walk {
  #steps = 0

  get isCutOff(): boolean {
    return this.#steps > validationStepsMax
  }

  node(value: unknown, schema: Schema, place: Place): Outcome {
    const outcome = this.#checks(value, schema, place)
    if (outcome.problems.length === 0 || place.old === undefined) return outcome
    return isUnchanged(value, place.old.value, schema) ? { problems: [], matches: outcome.matches } : outcome
  }

  #checks(value: unknown, schema: Schema, place: Place): Outcome {
    this.#steps += 1 + (typeof value === 'string' ? value.length >> 6 : 0)
    if (this.isCutOff) return { problems: [], matches: 0 }
    const { path } = place
    const collected = new Collected()
    const types = typesOf(schema)
    const typeProblems = checkType(value, schema, types, path)
    if (value === null) {
      collected.add(typeProblems, typeProblems.length === 0 ? 1 : 0)
      collected.add(checkEnum(value, schema, path), 0)
      return collected
    }
    const format = formatOf(schema, types)
    if (types.length > 0 || format !== '') collected.add(typeProblems, typeProblems.length === 0 ? 2 : 1)
    collected.merge(this.#junctors(value, schema, place), 2)
    if (typeof value === 'string') collected.add(checkText(value, schema, types, path), format === '' ? 1 : 2)
    if (typeof value === 'number') collected.add(checkNumber(value, schema, types, path), 2)
    if (Array.isArray(value)) collected.merge(this.#list(value, schema, place), 2)
    collected.add(checkEnum(value, schema, path), 1)
    if (isFields(value)) collected.merge(this.#object(value, schema, place), 1)
    collected.matches += 1
    return collected
  }

  #list(list: readonly unknown[], schema: Schema, { path, old }: Place): Outcome {
    const { items, constraints = {} } = schema
    const collected = new Collected()
    if (items !== undefined) {
      const before = oldItems(schema, old)
      for (const [index, item] of list.entries()) {
        if (this.isCutOff) break
        collected.merge(this.node(item, items, { path: `${path}[${index}]`, old: before(item) }), 0)
      }
    }
    const { minItems, maxItems } = constraints
    if (minItems !== undefined && list.length < minItems)
      collected.add([problem.tooFewItems(path, list.length, minItems)], 0)
    if (maxItems !== undefined && list.length > maxItems)
      collected.add([problem.tooManyItems(path, list.length, maxItems)], 0)
    return collected
  }

  #object(fields: Fields, schema: Schema, { path, old }: Place): Outcome {
    const { properties, additionalProperties, required = [], constraints = {} } = schema
    const collected = new Collected()
    const keys = Object.keys(fields)
    const { minProperties, maxProperties } = constraints
    if (minProperties !== undefined && keys.length < minProperties)
      collected.add([problem.tooFewProperties(path, keys.length, minProperties)], 0)
    if (maxProperties !== undefined && keys.length > maxProperties)
      collected.add([problem.tooManyProperties(path, keys.length, maxProperties)], 0)
    for (const key of additionalProperties === undefined ? [] : keys) {
      if (properties?.has(key) === true) continue
      if (additionalProperties === noValue) collected.add([problem.forbiddenProperty(path, key)], 0)
      else if (additionalProperties !== undefined) {
        const inner: Place = { path: `${path}.${key}`, old: oldField(old, key) }
        collected.merge(this.node(fields[key], additionalProperties, inner), 0)
      }
    }
    for (const [key, property] of properties ?? []) {
      if (!Object.hasOwn(fields, key)) continue
      const inner: Place = { path: path === '' ? key : `${path}.${key}`, old: oldProperty(old, key, path) }
      const check = isObjectMeta(property) ? this.#meta : this.node
      collected.merge(check.call(this, fields[key], property, inner), 0)
    }
    const absent = required.filter((key) => !Object.hasOwn(fields, key))
    collected.add(
      absent.map((key) => problem.missing(`${path}.${key}`)),
      0,
    )
    return collected
  }

  /** Of implied metadata only what the CRD narrowed is checked here. */
  #meta(metadata: unknown, schema: Schema, { path, old }: Place): Outcome {
    const collected = new Collected()
    if (!isFields(metadata)) return collected
    for (const key of ['name', 'generateName']) {
      const property = schema.properties?.get(key)
      if (property === undefined || metadata[key] === undefined) continue
      collected.merge(
        this.node(metadata[key], property, { path: `${path}.${key}`, old: oldField(old, key) }),
        0,
      )
    }
    return collected
  }

  #junctors(value: unknown, { constraints }: Schema, place: Place): Outcome {
    const collected = new Collected()
    if (constraints === undefined) return collected
    const { anyOf, oneOf, allOf, not } = constraints
    // What stood there before excuses a whole node, nothing inside of a branch.
    const branch = (schema: Schema): Outcome => this.node(value, schema, { path: place.path, old: undefined })
    const name = JSON.stringify(place.path)
    if (anyOf !== undefined) collected.merge(anyBranch(anyOf, branch, name), 0)
    if (oneOf !== undefined) collected.merge(oneBranch(oneOf, branch, name), 0)
    if (allOf !== undefined) collected.merge(allBranches(allOf, branch, name), 0)
    if (not !== undefined && branch(not).problems.length === 0)
      collected.add([unplaced(`${name} must not validate the schema (not)`)], 0)
    return collected
  }
}

class Collected implements Outcome {
  readonly problems: Problem[] = []
  matches = 0

  add(problems: readonly Problem[], matches: number): void {
    for (const one of problems) if (this.problems.length < problemsMax) this.problems.push(one)
    this.matches += matches
  }

  merge(outcome: Outcome, matches: number): void {
    for (const one of outcome.problems) if (this.problems.length < problemsMax) this.problems.push(one)
    this.matches += outcome.matches + matches
  }
}

type Branch = (schema: Schema) => Outcome

function anyBranch(schemas: readonly Schema[], branch: Branch, name: string): Outcome {
  let best: Outcome | undefined
  for (const schema of schemas) {
    const outcome = branch(schema)
    if (outcome.problems.length === 0) return outcome
    if (best === undefined || outcome.matches > best.matches) best = outcome
  }
  const text = `${name} must validate at least one schema (anyOf)`
  return { problems: [unplaced(text), ...(best?.problems ?? [])], matches: best?.matches ?? 0 }
}

function oneBranch(schemas: readonly Schema[], branch: Branch, name: string): Outcome {
  let best: Outcome | undefined
  const fitting: Outcome[] = []
  for (const schema of schemas) {
    const outcome = branch(schema)
    if (outcome.problems.length === 0) fitting.push(outcome)
    else if (fitting.length === 0 && (best === undefined || outcome.matches > best.matches)) best = outcome
  }
  const [only, ...others] = fitting
  if (only !== undefined && others.length === 0) return only
  const found = only === undefined ? 'Found none valid' : `Found ${fitting.length} valid alternatives`
  const text = `${name} must validate one and only one schema (oneOf). ${found}`
  if (only !== undefined) return { problems: [unplaced(text)], matches: 0 }
  return { problems: [unplaced(text), ...(best?.problems ?? [])], matches: best?.matches ?? 0 }
}

function allBranches(schemas: readonly Schema[], branch: Branch, name: string): Outcome {
  const outcomes = schemas.map(branch)
  const matches = outcomes.reduce((sum, outcome) => sum + outcome.matches, 0)
  const failing = outcomes.filter((outcome) => outcome.problems.length > 0)
  if (failing.length === 0) return { problems: [], matches }
  const none = failing.length === outcomes.length ? '. None validated' : ''
  const text = `${name} must validate all the schemas (allOf)${none}`
  return { problems: [...failing.flatMap((outcome) => outcome.problems), unplaced(text)], matches }
}

function checkEnum(value: unknown, { enum: allowed }: Schema, path: string): readonly Problem[] {
  if (allowed === undefined) return []
  // Upstream never finds null among the words, not even when it is one.
  if (value !== null && allowed.some((one) => sameJson(one, value))) return []
  return [problem.notInEnum(path, value, allowed)]
}
