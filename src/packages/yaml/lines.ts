// On which line each field of a YAML text stands, by its JSON pointer, so that a refusal can name it.
// What the fields hold is load.ts's.

import { EVENT_ID, type Event, getScalarValue, parseEvents } from 'js-yaml'

/** JSON pointer to line, counted from 1. A mapping's fields stand where their keys stand. */
export type Lines = ReadonlyMap<string, number>

/** The lines of one document, counted from 1; empty when the text is not YAML, which loading says better. */
export function linesOf(text: string, document = 1): Lines {
  const lines = new Map<string, number>()
  try {
    walk(text, documentEvents(parseEvents(text, {}), document), lines)
  } catch {
    return lines
  }
  return lines
}

/** The line of the nearest field above that has one. */
export function lineAt(lines: Lines, pointer: string): number | undefined {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const line = lines.get(at)
    if (line !== undefined || at === '') return line
  }
}

export const escapePointer = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1')

interface Frame {
  readonly pointer: string
  readonly isMapping: boolean
  index: number
  /** A mapping's key that waits for its value. */
  key: string | undefined
}

function documentEvents(events: readonly Event[], document: number): readonly Event[] {
  const starts = events.flatMap((event, index) => (event.type === EVENT_ID.DOCUMENT ? [index] : []))
  return events.slice(starts[document - 1] ?? events.length, starts[document])
}

function walk(text: string, events: readonly Event[], lines: Map<string, number>): void {
  const frames: Frame[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      frames.push({ pointer: '', isMapping: false, index: -1, key: undefined })
      continue
    }
    if (event.type === EVENT_ID.POP) {
      frames.pop()
      continue
    }
    const frame = frames.at(-1)
    if (frame === undefined) continue
    if (frame.isMapping && frame.key === undefined) {
      frame.key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : ''
      const start = event.type === EVENT_ID.SCALAR ? event.valueStart : -1
      if (start >= 0) lines.set(`${frame.pointer}/${escapePointer(frame.key)}`, lineOf(text, start))
      continue
    }
    const pointer = pointerOf(frame)
    frame.key = undefined
    const start =
      event.type === EVENT_ID.SCALAR ? event.valueStart : event.type === EVENT_ID.ALIAS ? -1 : event.start
    if (start >= 0 && !lines.has(pointer)) lines.set(pointer, lineOf(text, start))
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      frames.push({ pointer, isMapping: event.type === EVENT_ID.MAPPING, index: 0, key: undefined })
    }
  }
}

function pointerOf(frame: Frame): string {
  if (frame.isMapping) return `${frame.pointer}/${escapePointer(frame.key ?? '')}`
  if (frame.index === -1) return frame.pointer
  const pointer = `${frame.pointer}/${frame.index}`
  frame.index += 1
  return pointer
}

function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}
