// The syntax rules for names, label keys and label values, each answering the texts of what is wrong.
// Upstream: apimachinery/pkg/api/validate/content and pkg/util/validation; which rule a field has is for callers.

/** Checks one text; an empty answer means that it is fine. */
export type TextRule = (value: string) => readonly string[]

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain1123 = `${label1123}(\\.${label1123})*`
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const labelValue = `(${labelKey})?`
const configMapKey = '[-._a-zA-Z0-9]+'
const cIdentifier = '[A-Za-z_][A-Za-z0-9_]*'
const percent = '[0-9]+%'
const headerName = '[-A-Za-z0-9]+'
const environmentName = '[-._a-zA-Z][-._a-zA-Z0-9]*'

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)
const label1123Pattern = whole(label1123)
const subdomain1123Pattern = whole(subdomain1123)
const wildcardPattern = whole(`\\*\\.${subdomain1123}`)
const label1035Pattern = whole(label1035)
const labelKeyPattern = whole(labelKey)
const labelValuePattern = whole(labelValue)
const configMapKeyPattern = whole(configMapKey)
const cIdentifierPattern = whole(cIdentifier)
const percentPattern = whole(percent)
const headerNamePattern = whole(headerName)
const environmentNamePattern = whole(environmentName)

export const labelBytesMax = 63
export const subdomainBytesMax = 253

export const dnsLabel: TextRule = (value) => {
  const problems = tooLong(value, labelBytesMax)
  if (label1123Pattern.test(value)) return problems
  if (subdomain1123Pattern.test(value)) return [...problems, 'must not contain dots']
  return [
    ...problems,
    patternText(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
      label1123,
      ['my-name', '123-abc'],
    ),
  ]
}

export const dnsSubdomain: TextRule = (value) =>
  matching(value, subdomainBytesMax, subdomain1123Pattern, () =>
    patternText(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      subdomain1123,
      ['example.com'],
    ),
  )

export const wildcardDnsSubdomain: TextRule = (value) =>
  matching(value, subdomainBytesMax, wildcardPattern, () =>
    patternText(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      `\\*\\.${subdomain1123}`,
      ['*.example.com'],
    ),
  )

export const dns1035Label: TextRule = (value) =>
  matching(value, labelBytesMax, label1035Pattern, () =>
    patternText(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      label1035,
      ['my-name', 'abc-123'],
    ),
  )

/** A name that stands as one segment of a URL: RBAC objects and the like. */
export const pathSegment: TextRule = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return pathSegmentPrefix(value)
}

export const pathSegmentPrefix: TextRule = (value) =>
  ['/', '%'].filter((illegal) => value.includes(illegal)).map((illegal) => `may not contain '${illegal}'`)

/** A label key, an annotation key in lower case, a finalizer, a resource name: `example.com/MyName`. */
export const qualifiedName: TextRule = (value) => {
  const [first = '', second, ...more] = value.split('/')
  if (more.length > 0) {
    return [
      `a valid label key ${labelKeyText()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = second ?? first
  return [...(second === undefined ? [] : prefixProblems(first)), ...nameProblems(name)]
}

export const labelValueRule: TextRule = (value) =>
  matching(value, labelBytesMax, labelValuePattern, () =>
    patternText(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      labelValue,
      ['MyValue', 'my_value', '12345'],
    ),
  )

/** A key of a ConfigMap's or Secret's data. */
export const configMapKeyRule: TextRule = (value) => {
  const problems = matching(value, subdomainBytesMax, configMapKeyPattern, () =>
    patternText("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", configMapKey, [
      'key.name',
      'KEY_NAME',
      'key-name',
    ]),
  )
  return [...problems, ...dotsProblems(value)]
}

export const cIdentifierRule: TextRule = (value) =>
  cIdentifierPattern.test(value)
    ? []
    : [
        patternText(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          cIdentifier,
          ['my_name', 'MY_NAME', 'MyName'],
        ),
      ]

export const percentRule: TextRule = (value) =>
  percentPattern.test(value)
    ? []
    : [
        patternText("a valid percent string must be a numeric string followed by an ending '%'", percent, [
          '1%',
          '93%',
        ]),
      ]

export const headerNameRule: TextRule = (value) =>
  headerNamePattern.test(value)
    ? []
    : [
        patternText("a valid HTTP header must consist of alphanumeric characters or '-'", headerName, [
          'X-Header-Name',
        ]),
      ]

export const environmentNameRule: TextRule = (value) => {
  const problems = environmentNamePattern.test(value)
    ? []
    : [
        patternText(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          environmentName,
          ['my.env-name', 'MY_ENV.NAME', 'MyEnvName1'],
        ),
      ]
  return [...problems, ...dotsProblems(value)]
}

/** What upstream allows since 1.34: printable ASCII without `=`. */
export const relaxedEnvironmentNameRule: TextRule = (value) => {
  if (value === '') return ['environment variable name must be non-empty']
  return /^[ -<>-~]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export const portNameRule: TextRule = (value) => {
  const problems: string[] = []
  if (Buffer.byteLength(value) > 15) problems.push('must be no more than 15 bytes')
  if (!/^[-a-z0-9]+$/.test(value))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)')
  if (value.includes('--')) problems.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}

export const portNumberProblems = (port: number): readonly string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65_535 ? [] : ['must be between 1 and 65535, inclusive']

/** A `generateName`: its last character may be a dash, because more follows. */
export const asPrefix =
  (rule: TextRule): TextRule =>
  (value) =>
    // Upstream cuts two characters here, not one; the length that it checks is one short.
    rule(value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value)

function prefixProblems(prefix: string): readonly string[] {
  if (prefix === '') return ['prefix part must be non-empty']
  return dnsSubdomain(prefix).map((problem) => `prefix part ${problem}`)
}

function nameProblems(name: string): readonly string[] {
  const problems: string[] = []
  if (name === '') problems.push('name part must be non-empty')
  else if (Buffer.byteLength(name) > labelBytesMax) problems.push(`name part ${lengthText(labelBytesMax)}`)
  if (!labelKeyPattern.test(name)) problems.push(`name part ${labelKeyText()}`)
  return problems
}

const labelKeyText = (): string =>
  patternText(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    labelKey,
    ['MyName', 'my.name', '123-abc'],
  )

function dotsProblems(value: string): readonly string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

function matching(value: string, bytesMax: number, pattern: RegExp, text: () => string): readonly string[] {
  const problems = tooLong(value, bytesMax)
  return pattern.test(value) ? problems : [...problems, text()]
}

const tooLong = (value: string, bytesMax: number): readonly string[] =>
  Buffer.byteLength(value) > bytesMax ? [lengthText(bytesMax)] : []

const lengthText = (bytesMax: number): string => `must be no more than ${bytesMax} bytes`

// The two spaces before `or` are upstream's.
function patternText(message: string, pattern: string, examples: readonly string[]): string {
  return `${message} (e.g. '${examples.join("',  or '")}', regex used for validation is '${pattern}')`
}
