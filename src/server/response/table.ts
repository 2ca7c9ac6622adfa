// Objects as the rows of a Table, the form in which kubectl gets what it prints.
// Columns and cells are the kind's; this writes them.

import type { KubeObject } from '../../api/object.ts'
import type { StoredObject } from '../../api/stored.ts'
import type { Column } from '../../api/table.ts'
import type { Format } from './negotiate.ts'
import { bytesOf, parsedOf, partialBytes } from './object-bytes.ts'

type Cell = string | number | boolean | null

/** How a kind shows itself; kinds/kind.ts's Kind fits it. */
export interface TableShape {
  readonly columns: readonly Column[]
  readonly cells: (object: KubeObject, now: number) => readonly Cell[]
  readonly rowConditions?: ((object: KubeObject) => readonly unknown[]) | undefined
}

/** Upstream's table of what has no columns of its own. */
export const defaultShape: TableShape = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique within a namespace.' },
    {
      name: 'Created At',
      type: 'date',
      description: 'CreationTimestamp is the time when this object was created.',
    },
  ],
  cells: ({ metadata }) => [metadata.name ?? '', metadata.creationTimestamp ?? ''],
}

/** The start of a table up to the opening bracket of its rows; `metadata` is the list's own. */
export function tableHead(shape: TableShape, { metaVersion }: Format, metadata: object): string {
  const columns = JSON.stringify(shape.columns.map(columnDefinition))
  return `${tableStart(metaVersion)}"metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`
}

/** The same without columns: the later events of a watch. */
export function tableHeadWithoutColumns({ metaVersion }: Format, metadata: object): string {
  return `${tableStart(metaVersion)}"metadata":${JSON.stringify(metadata)},"columnDefinitions":null,"rows":[`
}

const tableStart = (metaVersion: string): string =>
  `{"kind":"Table","apiVersion":"meta.k8s.io/${metaVersion}",`

export function columnDefinition({
  name,
  type,
  format = '',
  description = '',
  priority = 0,
}: Column): object {
  return { name, type, format, description, priority }
}

interface RowInput {
  readonly shape: TableShape
  readonly format: Format
  readonly now: number
}

/** One row as JSON. */
export function rowBytes(object: KubeObject | StoredObject, { shape, format, now }: RowInput): Buffer {
  const parsed = parsedOf(object)
  const cells = JSON.stringify(shape.cells(parsed, now))
  const conditions = shape.rowConditions?.(parsed) ?? []
  const shown = conditions.length === 0 ? '' : `"conditions":${JSON.stringify(conditions)},`
  return Buffer.concat([
    Buffer.from(`{"cells":${cells},${shown}"object":`),
    embedded(object, format),
    Buffer.from('}'),
  ])
}

function embedded(object: KubeObject | StoredObject, { includeObject, metaVersion }: Format): Buffer {
  if (includeObject === 'None') return Buffer.from('null')
  if (includeObject === 'Object') return bytesOf(object)
  return partialBytes(object, metaVersion)
}
