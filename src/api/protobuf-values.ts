// The texts that Go's JSON has for times, and the values in raw JSON.
// Where they stand in a message is protobuf.ts's work.

import { DecodeError } from './protobuf-cursor.ts'

type Fields = Readonly<Record<string, unknown>>

/** Go's zero time, 1 January of year 1. */
const zeroTimeSeconds = -62_135_596_800
const lastSecond = 253_402_300_799

/** A metav1.Time: whole seconds, or null for the zero time. */
export function timeText(timestamp: Fields): string | null {
  const text = secondsText(timestamp)
  return text === null ? null : `${text}Z`
}

/** A metav1.MicroTime: six digits, cut and not rounded. */
export function microTimeText(timestamp: Fields): string | null {
  const nanos = (timestamp['nanos'] ?? 0) as number
  if (nanos < 0 || nanos > 999_999_999) throw new DecodeError(`a time with ${nanos} nanoseconds`)
  const text = nanos === 0 ? secondsText(timestamp) : secondsText({ seconds: 0, ...timestamp })
  if (text === null) return null
  return `${text}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`
}

function secondsText({ seconds }: Fields): string | null {
  if (seconds === undefined || seconds === zeroTimeSeconds) return null
  const value = seconds as number
  if (value < zeroTimeSeconds || value > lastSecond)
    throw new DecodeError('a time outside the years 1 to 9999')
  return new Date(value * 1000).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)
}

/** The JSON inside a RawExtension, a FieldsV1 or a JSON: null when there is none. */
export function jsonValue(raw: Uint8Array): unknown {
  if (raw.length === 0) return null
  try {
    return JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8'))
  } catch (cause) {
    throw new DecodeError('a raw value inside the message is not JSON', { cause })
  }
}
