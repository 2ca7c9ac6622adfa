// Accept -> the form of the answer: JSON or YAML, as itself, as a Table or as metadata only.
// Protobuf is read but not written: clients that offer no other form get 406 (upstream's clients all offer JSON).

import { ApiError, badRequest, notAcceptable } from '../../api/status.ts'
import { isTrue } from '../route.ts'

export const transforms = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const
export type Transform = (typeof transforms)[number]

export const includeObjects = ['None', 'Metadata', 'Object'] as const
export type IncludeObject = (typeof includeObjects)[number]

export interface Format {
  readonly media: 'json' | 'yaml'
  readonly transform: Transform | undefined
  /** The `meta.k8s.io` version of the transform. */
  readonly metaVersion: 'v1' | 'v1beta1'
  readonly isPretty: boolean
  /** Of tables. */
  readonly includeObject: IncludeObject
}

export const plainJson: Format = {
  media: 'json',
  transform: undefined,
  metaVersion: 'v1',
  isPretty: false,
  includeObject: 'Metadata',
}

export interface AcceptClause {
  readonly type: string
  readonly subtype: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

interface NegotiateInput {
  readonly accept: string | undefined
  readonly query: URLSearchParams
  readonly userAgent: string | undefined
  /** A watch: YAML has no stream form. */
  readonly isStream: boolean
}

const written = ['application/json', 'application/yaml']

/** Throws 406 when nothing that is accepted can be written. */
export function negotiate({ accept, query, userAgent, isStream }: NegotiateInput): Format {
  const isPretty = !isStream && prettyAsked(query, userAgent)
  if (accept === undefined || accept.trim() === '') return { ...plainJson, isPretty }
  for (const clause of parseAccept(accept)) {
    const media = mediaOf(clause, isStream)
    if (media === undefined) continue
    const format = formatOf(clause, media)
    if (format === undefined) continue
    const isPrettyClause = !isStream && clause.parameters.get('pretty') === '1'
    return { ...format, isPretty: isPretty || isPrettyClause, includeObject: includeObjectOf(format, query) }
  }
  throw notAcceptable(isStream ? ['application/json;stream=watch'] : written)
}

/** Clauses in the order of the client's wishes: by quality, then the more exact, then as written. */
export function parseAccept(accept: string): readonly AcceptClause[] {
  return accept
    .split(',')
    .flatMap((part) => {
      const [media = '', ...rest] = part.split(';').map((piece) => piece.trim())
      const [type = '', subtype = ''] = media.toLowerCase().split('/')
      if (type === '') return []
      const parameters = new Map(rest.map(parameterOf))
      const quality = Number(parameters.get('q') ?? '1')
      parameters.delete('q')
      return [
        {
          type,
          subtype: subtype === '' && type === '*' ? '*' : subtype,
          parameters,
          quality: Number.isNaN(quality) ? 1 : quality,
        },
      ]
    })
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality || wildness(one) - wildness(other))
}

function parameterOf(piece: string): [string, string] {
  const at = piece.indexOf('=')
  if (at < 0) return [piece.toLowerCase(), '']
  return [
    piece.slice(0, at).trim().toLowerCase(),
    piece
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1'),
  ]
}

const wildness = ({ type, subtype }: AcceptClause): number => (type === '*' ? 2 : subtype === '*' ? 1 : 0)

function mediaOf(
  { type, subtype, parameters }: AcceptClause,
  isStream: boolean,
): Format['media'] | undefined {
  const stream = parameters.get('stream')
  if (stream !== undefined && stream !== '' && stream !== 'watch') return undefined
  if (type === '*' && subtype === '*') return 'json'
  if (type !== 'application') return undefined
  if (subtype === 'json' || subtype === '*') return 'json'
  return subtype === 'yaml' && !isStream ? 'yaml' : undefined
}

function formatOf({ parameters }: AcceptClause, media: Format['media']): Format | undefined {
  const kind = parameters.get('as')
  const group = parameters.get('g')
  const version = parameters.get('v')
  const serverVersion = parameters.get('sv')
  if (serverVersion !== undefined && serverVersion !== '' && serverVersion !== 'v1') return undefined
  if (kind === undefined && group === undefined && version === undefined) return { ...plainJson, media }
  const transform = transforms.find((one) => one === kind)
  if (transform === undefined || group !== 'meta.k8s.io') return undefined
  if (version !== 'v1' && version !== 'v1beta1') return undefined
  return { ...plainJson, media, transform, metaVersion: version }
}

function includeObjectOf({ transform }: Format, query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject')
  if (transform !== 'Table' || asked === null || asked === '') return 'Metadata'
  const known = includeObjects.find((one) => one === asked)
  if (known !== undefined) return known
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

// People with a terminal or a browser get lines.
function prettyAsked(query: URLSearchParams, userAgent = ''): boolean {
  const asked = query.get('pretty')
  if (asked !== null && asked !== '') return asked === '1' || isTrueWord(asked)
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent)
}

const isTrueWord = (word: string): boolean => ['t', 'true'].includes(word.toLowerCase()) && isTrue(word)

/** A transform that does not fit what was found. */
export const wrongTransform = (message: string): ApiError =>
  new ApiError({ code: 406, reason: 'NotAcceptable', message })
