// One packet in, one packet out: what is refused, EDNS, aliases followed, answers cut to what the client takes.
// Records are records.ts's; sockets are server.ts's.

import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import { type Asked, type Found, findRecords, startOfAuthority } from './records.ts'
import type { Upstream } from './upstream.ts'
import type { DnsView } from './view.ts'

const headerBytes = 12
const plainUdpBytesMax = 512
// Larger datagrams are cut to pieces on the way, and pieces get lost.
const udpBytesMax = 1232
const aliasesMax = 5
const codes = { none: 0, malformed: 1, failed: 2, absent: 3, unknown: 4, refused: 5 } as const

export interface Responder {
  readonly view: DnsView
  readonly domain: string
  readonly upstream: Pick<Upstream, 'ask'>
}

/** Undefined: nothing is said, because it was no question. Never throws. */
export async function respond(
  responder: Responder,
  bytes: Buffer,
  transport: 'TCP' | 'UDP',
): Promise<Buffer | undefined> {
  if (bytes.length < headerBytes || (bytes.readUInt8(2) & 0x80) !== 0) return undefined
  if ((bytes.readUInt8(2) & 0x78) !== 0) return bare(bytes, codes.unknown)
  try {
    const query = decode(bytes)
    const [question] = query.questions ?? []
    if (question === undefined || query.questions?.length !== 1) return bare(bytes, codes.malformed)
    const option = query.additionals?.find(({ type }) => type === 'OPT')
    const said = option?.type === 'OPT' ? option.udpPayloadSize : plainUdpBytesMax
    const bytesMax =
      transport === 'TCP' ? 65_535 : Math.min(udpBytesMax, Math.max(plainUdpBytesMax, said ?? 0))
    const isPlain = (question.class ?? 'IN') === 'IN' && !['AXFR', 'IXFR'].includes(question.type)
    if (!isPlain) return bare(bytes, codes.refused)
    const asked = { name: question.name, type: question.type }
    const found = findRecords(responder, asked)
    if (found.type === 'foreign') return await passOn(responder, { bytes, asked, bytesMax })
    const answer = await answerOf(responder, asked, found)
    const packet = {
      ...answer,
      type: 'response' as const,
      id: query.id ?? 0,
      flags: (answer.flags ?? 0) | ((query.flags ?? 0) & RECURSION_DESIRED),
      questions: [question],
    }
    return fit(packet, { hasOption: option !== undefined, bytesMax })
  } catch {
    return bare(bytes, codes.malformed)
  }
}

/** The header alone, for what has no readable question. */
function bare(bytes: Buffer, code: number): Buffer {
  const answer = Buffer.alloc(headerBytes)
  bytes.copy(answer, 0, 0, 2)
  answer.writeUInt8(0x80 | (bytes.readUInt8(2) & 0x79), 2)
  answer.writeUInt8(0x80 | code, 3)
  return answer
}

async function answerOf(
  responder: Responder,
  asked: Asked,
  found: Exclude<Found, { type: 'foreign' }>,
): Promise<Packet> {
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE
  const authorities = [startOfAuthority(responder.domain)]
  if (found.type === 'absent') return { flags: flags | codes.absent, authorities }
  if (found.answers.length === 0) return { flags, authorities }
  const followed = await follow(responder, asked, found.answers)
  return { flags, answers: [...found.answers, ...followed], additionals: [...(found.additionals ?? [])] }
}

/** What stands behind an alias, so that a client need not ask again. */
async function follow(
  responder: Responder,
  asked: Asked,
  answers: readonly Answer[],
): Promise<readonly Answer[]> {
  const all: Answer[] = []
  let last = answers.at(-1)
  for (let step = 0; step < aliasesMax; step += 1) {
    if (last?.type !== 'CNAME' || asked.type === 'CNAME') break
    const next = { name: last.data, type: asked.type }
    const found = findRecords(responder, next)
    if (found.type === 'absent') break
    if (found.type === 'foreign') {
      const bytes = await responder.upstream.ask(next)
      return [...all, ...(bytes === undefined ? [] : (decode(bytes).answers ?? []))]
    }
    all.push(...found.answers)
    last = found.answers.at(-1)
  }
  return all
}

interface Fitting {
  readonly hasOption: boolean
  readonly bytesMax: number
}

function fit(packet: Packet, { hasOption, bytesMax }: Fitting): Buffer {
  const option = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: udpBytesMax,
    flags: 0,
    options: [],
    extendedRcode: 0,
    ednsVersion: 0,
  } as unknown as Answer
  const options = hasOption ? [option] : []
  const whole = encode({ ...packet, additionals: [...(packet.additionals ?? []), ...options] })
  if (whole.length <= bytesMax) return whole
  const without = encode({ ...packet, additionals: options })
  if (without.length <= bytesMax) return without
  const flags = (packet.flags ?? 0) | TRUNCATED_RESPONSE
  return encode({ ...packet, flags, answers: [], authorities: [], additionals: options })
}

interface Passed {
  readonly bytes: Buffer
  readonly asked: Asked
  readonly bytesMax: number
}

async function passOn({ upstream }: Responder, { bytes, asked, bytesMax }: Passed): Promise<Buffer> {
  const found = await upstream.ask(asked)
  if (found === undefined) return bare(bytes, codes.failed)
  const answer = Buffer.from(found)
  bytes.copy(answer, 0, 0, 2)
  if (answer.length <= bytesMax) return answer
  const cut = bare(bytes, codes.none)
  cut.writeUInt8(cut.readUInt8(2) | 0x02, 2)
  return cut
}
