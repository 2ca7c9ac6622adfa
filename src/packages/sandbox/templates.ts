// Renders Handlebars with placeholders where values go: what a template prints holds the author's text only, so that
// YAML is parsed before any value is in it. Runs in the sandbox; substitution is render/substitute.ts's.

import Handlebars from 'handlebars'
import { builtIn, helpers } from './functions.ts'
import { placeholderOf, type Rendered, type RenderRequest, type SandboxAnswer } from './protocol.ts'

const valuesMax = 100_000
const outputCharactersMax = 8 * 1024 * 1024
/** No template can write this: a path has no space in it. */
const valueHelper = 'k3v value'

class TemplateFailure extends Error {
  readonly line: number | undefined
  constructor(message: string, line: number | undefined) {
    super(message)
    this.line = line
  }
}

export function renderTemplates(request: RenderRequest): SandboxAnswer {
  const rendered: Rendered[] = []
  let total = 0
  for (const template of request.templates) {
    try {
      const result = renderOne(template, request)
      total += result.text.length
      if (total > outputCharactersMax) throw new TemplateFailure('the templates print too much', undefined)
      rendered.push(result)
    } catch (error) {
      return { ok: false, file: template.file, ...describe(error) }
    }
  }
  return { ok: true, rendered }
}

function renderOne(
  template: { readonly file: string; readonly text: string },
  request: RenderRequest,
): Rendered {
  const engine = Handlebars.create()
  for (const name of Object.keys(engine.helpers)) {
    if (!builtIn.some((kept) => kept === name)) engine.unregisterHelper(name)
  }
  for (const [name, helper] of Object.entries(helpers)) {
    // Handlebars hands its own options last.
    engine.registerHelper(name, (...values: unknown[]) => helper(...values.slice(0, -1)))
  }
  const values: Rendered['values'][number][] = []
  engine.registerHelper(valueHelper, (value: unknown, name: string, line: number) => {
    if (value === undefined)
      throw new TemplateFailure(`${name} has no value; set it, or write {{default ${name} …}}`, line)
    if (values.length >= valuesMax)
      throw new TemplateFailure(`more than ${valuesMax} values are printed`, line)
    values.push({ name, line, value })
    return placeholderOf(request.nonce, values.length - 1)
  })
  const program = engine.parse(template.text)
  markValues(program)
  const known = Object.fromEntries(
    [...builtIn, ...Object.keys(helpers), valueHelper].map((name) => [name, true]),
  )
  const render = engine.compile(program, { noEscape: true, knownHelpers: known, knownHelpersOnly: true })
  const text = render(request.values, { data: { package: request.about } })
  return { file: template.file, text, values }
}

/** `{{x}}` and `{{helper x}}` become `{{value-helper (…) "name" line}}`; what runs foreign code is refused. */
function markValues(program: hbs.AST.Program): void {
  for (const statement of program.body) {
    const line = statement.loc.start.line
    switch (statement.type) {
      case 'MustacheStatement':
        markValue(statement as hbs.AST.MustacheStatement, line)
        break
      case 'BlockStatement': {
        const block = statement as hbs.AST.BlockStatement
        checkBlock(block, line)
        markValues(block.program)
        if (block.inverse) markValues(block.inverse)
        break
      }
      case 'ContentStatement':
      case 'CommentStatement':
        break
      default:
        throw new TemplateFailure(
          'partials and decorators are not served; write the text where it is needed',
          line,
        )
    }
  }
}

function checkBlock(block: hbs.AST.BlockStatement, line: number): void {
  const name = (block.path as hbs.AST.PathExpression).original
  if (block.params.length === 0)
    throw new TemplateFailure(`{{#${name}}} says nothing; write {{#if ${name}}}`, line)
  if (!builtIn.some((kept) => kept === name)) {
    throw new TemplateFailure(`{{#${name}}} is not known; there are ${builtIn.slice(0, 4).join(', ')}`, line)
  }
}

function markValue(statement: hbs.AST.MustacheStatement, line: number): void {
  const { path, params, hash, loc } = statement
  if (hash !== undefined && hash.pairs.length > 0)
    throw new TemplateFailure('no helper takes named arguments', line)
  const original = (path as hbs.AST.PathExpression).original
  const isHelper = params.length > 0
  if (isHelper && !(String(original) in helpers) && original !== 'lookup') {
    throw new TemplateFailure(
      `${original} is not a helper; there are ${Object.keys(helpers).join(', ')}`,
      line,
    )
  }
  const expression: hbs.AST.Expression = isHelper
    ? ({ type: 'SubExpression', path, params, hash, loc } as hbs.AST.SubExpression)
    : path
  statement.path = {
    type: 'PathExpression',
    data: false,
    depth: 0,
    parts: [valueHelper],
    original: valueHelper,
    loc,
  } as hbs.AST.PathExpression
  const name = isHelper ? `${original} ${params.map(nameOf).join(' ')}` : String(original)
  statement.params = [
    expression,
    { type: 'StringLiteral', value: name, original: name, loc } as hbs.AST.StringLiteral,
    { type: 'NumberLiteral', value: line, original: line, loc } as hbs.AST.NumberLiteral,
  ]
  statement.escaped = true
}

const nameOf = (expression: hbs.AST.Expression): string =>
  String((expression as { readonly original?: unknown }).original ?? '(…)')

function describe(error: unknown): { line?: number | undefined; message: string } {
  if (error instanceof TemplateFailure) return { line: error.line, message: error.message }
  const { message, lineNumber } = error as { readonly message?: string; readonly lineNumber?: number }
  const text = message ?? String(error)
  const parse = /^Parse error on line (\d+):\n([\s\S]*)$/.exec(text)
  if (parse !== null)
    return { line: Number(parse[1]), message: `not a template: ${firstExpectation(parse[2] ?? '')}` }
  return { line: lineNumber ?? lineOfUnknown(text), message: text.split('\n')[0] ?? text }
}

// The picture that the parser draws says less than its last line.
const firstExpectation = (picture: string): string => picture.split('\n').at(-1) ?? picture

function lineOfUnknown(text: string): number | undefined {
  const match = / - (\d+):\d+$/.exec(text)
  return match === null ? undefined : Number(match[1])
}
