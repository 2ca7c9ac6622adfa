// Judges data by a JSON Schema. Runs in the sandbox: ajv makes code of a schema that somebody else wrote.

import { Ajv, type ErrorObject, type Options } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { CheckRequest, SandboxAnswer } from './protocol.ts'

const faultsMax = 50

const options: Options = { allErrors: true, strict: false, verbose: false, logger: false }

export function checkData({ schema, data }: CheckRequest): SandboxAnswer {
  const ajv = isDraft07(schema) ? new Ajv(options) : new Ajv2020(options)
  addFormats.default(ajv)
  try {
    const validate = ajv.compile(schema as object)
    validate(data)
    return { ok: true, faults: (validate.errors ?? []).slice(0, faultsMax).map(faultOf) }
  } catch (error) {
    return { ok: false, file: '', message: error instanceof Error ? error.message : String(error) }
  }
}

function isDraft07(schema: unknown): boolean {
  const named = (schema as { readonly $schema?: unknown } | null)?.$schema
  return typeof named === 'string' && named.includes('draft-07')
}

const faultOf = ({ instancePath, keyword, message, params }: ErrorObject) => ({
  pointer: instancePath,
  keyword,
  message: message ?? keyword,
  params,
})
