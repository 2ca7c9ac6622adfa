// Finds the lines that problems are about, where a file's text is what was applied: in plain manifests.
// What a template printed stands in no file; there the document has to do.

import type { Problem } from './failure.ts'
import { byUnits, type PackageFiles, textOf } from './files.ts'
import { escapePointer, lineAt, linesOf } from './yaml/lines.ts'

/** The same problems in the order of files and documents, with lines where they are known. */
export function locate(problems: readonly Problem[], files: PackageFiles): readonly Problem[] {
  return [...problems]
    .sort((a, b) => byUnits(a.file, b.file) || (a.document ?? 0) - (b.document ?? 0))
    .map((problem) =>
      problem.file.endsWith('.hbs') ? problem : { ...problem, line: problem.line ?? find(problem, files) },
    )
}

function find({ file, document, field }: Problem, files: PackageFiles): number | undefined {
  const bytes = files.get(file)
  if (bytes === undefined) return undefined
  return lineAt(linesOf(textOf(bytes), document ?? 1), pointerOf(field ?? ''))
}

/** `spec.containers[0].name` as a pointer; a key with dots in it ends at the field above. */
function pointerOf(field: string): string {
  const segments = [...field.matchAll(/[^.[\]]+/g)].map(([segment]) => `/${escapePointer(segment)}`)
  return segments.join('')
}
