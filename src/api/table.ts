// A table column, and the cell formats that kubectl prints: ages and the like.
// Which columns a kind has stands in the kind's file.

/** Priority 0 is shown always, 1 with `-o wide`. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string | undefined
  readonly description?: string | undefined
  readonly priority?: number | undefined
}
