// The table of a custom resource: its name and the CRD's additionalPrinterColumns.
// Upstream: apiextensions-apiserver registry/customresource/tableconvertor. Paths are json-path.ts's.

import type { CustomResourceColumnDefinition } from '../api/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { Column } from '../api/table.ts'
import { type Cell, humanDuration, nameColumn, nameOf } from '../kinds/columns.ts'
import { compileJsonPath, type JsonPath } from './json-path.ts'

export interface TableColumns {
  readonly columns: readonly Column[]
  readonly cells: (object: KubeObject, now: number) => readonly Cell[]
}

const defaultColumns: readonly CustomResourceColumnDefinition[] = [
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
]

/** Without columns of its own a resource shows its age. A column whose path cannot be read stays empty. */
export function tableColumns(definitions: readonly CustomResourceColumnDefinition[]): TableColumns {
  const own = definitions.length === 0 ? defaultColumns : definitions
  const readers = own.map(({ jsonPath, type }) => ({ path: compileJsonPath(jsonPath), type }))
  return {
    columns: [nameColumn, ...own.map(columnOf)],
    cells: (object, now) => [
      nameOf(object),
      ...readers.map(({ path, type }) => cellOf(object, path, { type, now })),
    ],
  }
}

function columnOf(definition: CustomResourceColumnDefinition): Column {
  const { name, type, format, description = '', priority = 0, jsonPath } = definition
  const shown =
    description === '' ? `Custom resource definition column (in JSONPath format): ${jsonPath}` : description
  return { name, type: type as Column['type'], format: format ?? '', description: shown, priority }
}

function cellOf(
  object: KubeObject,
  path: JsonPath | undefined,
  { type, now }: { readonly type: string; readonly now: number },
): Cell {
  const [value] = path?.(object) ?? []
  if (value === undefined) return null
  if (type === 'string')
    return value === null ? '<no value>' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null
  if (type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  return type === 'date' && typeof value === 'string' ? ageCell(value, now) : null
}

function ageCell(timestamp: string, now: number): string {
  if (timestamp === '') return '<unknown>'
  const then = Date.parse(timestamp)
  return Number.isNaN(then) ? '<invalid>' : humanDuration(now - then)
}
