// The thread that waits for the disk: takes requests in order and answers each.
// Where this file is found at run time is worker-url.ts's.

import assert from 'node:assert/strict'
import { parentPort } from 'node:worker_threads'
import { Database } from './database.ts'
import { faultOf } from './faults.ts'
import type { Answer, Answers, Envelope, Request } from './messages.ts'
import type { Slab } from './slab.ts'

const port = parentPort
assert(port !== null, 'this file runs as a worker')
let database: Database | undefined

port.on('message', ({ serial, request }: Envelope) => {
  const answer = answerTo(serial, request)
  port.postMessage(answer, transferable(answer))
})

function answerTo(serial: number, request: Request): Answer {
  try {
    return { serial, ok: true, answer: handle(request) }
  } catch (error) {
    const { fault, message } = faultOf('the store', error)
    return { serial, ok: false, fault, message }
  }
}

function handle(request: Request): Answers[Request['type']] {
  if (request.type === 'open') {
    database = new Database(request)
    return database.describe()
  }
  assert(database !== undefined, 'the store is opened first')
  switch (request.type) {
    case 'commit':
      return database.commit(request)
    case 'read':
      return database.read(request.ids)
    case 'events':
      return database.events(request)
    case 'compact':
      return database.compact(request.revision)
    case 'checkpoint':
      return database.checkpoint()
    case 'close':
      return database.close()
  }
}

function transferable(answer: Answer): ArrayBuffer[] {
  if (!answer.ok) return []
  const slabs: Slab[] = []
  if ('values' in answer.answer) slabs.push(answer.answer.values)
  if ('previous' in answer.answer) slabs.push(answer.answer.previous)
  return slabs.map(({ bytes }) => bytes)
}
