// What a template may call. Pure functions over values; none reads anything, none makes structure out of text.
// A package brings no helpers of its own.

type Helper = (...values: unknown[]) => unknown

const texts = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0)

function required(message: unknown, value: unknown): unknown {
  if (value === undefined || value === null || value === '') throw new Error(texts(message))
  return value
}

export const helpers: Readonly<Record<string, Helper>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => Number(a) < Number(b),
  gt: (a, b) => Number(a) > Number(b),
  and: (...values) => values.find(isEmpty) ?? values.at(-1),
  or: (...values) => values.find((value) => !isEmpty(value)) ?? values.at(-1),
  not: (value) => isEmpty(value),
  default: (value, otherwise) => (value === undefined || value === null || value === '' ? otherwise : value),
  required,
  quote: (value) => texts(value),
  json: (value) => JSON.stringify(value),
  toYaml: (value) => value,
  upper: (value) => texts(value).toUpperCase(),
  lower: (value) => texts(value).toLowerCase(),
  concat: (...values) => values.map(texts).join(''),
  join: (values, separator) =>
    Array.isArray(values) ? values.map(texts).join(texts(separator)) : texts(values),
  b64enc: (value) => Buffer.from(texts(value), 'utf8').toString('base64'),
}

/** Of Handlebars' own: those that choose and repeat what the template's author wrote. */
export const builtIn = ['if', 'unless', 'each', 'with', 'lookup'] as const
