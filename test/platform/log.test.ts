import t from 'tap'
import { FakeClock } from '../../src/platform/clock.ts'
import { createLogger, type LoggerOptions, silentLogger } from '../../src/platform/log.ts'

function capture(options: LoggerOptions = {}) {
  const lines: string[] = []
  const log = createLogger({ clock: new FakeClock(0), ...options, write: (line) => lines.push(line) })
  return { log, lines }
}

t.test('a human line is time, level, sentence, fields', async (t) => {
  const { log, lines } = capture()
  log.child({ room: 'sync' }).info('synced to host', { name: 'web', reason: 'two words', skipped: undefined })
  t.same(lines, ['1970-01-01T00:00:00.000Z info  synced to host room=sync name=web reason="two words"\n'])
})

t.test('a JSON line is one document, and no field can replace its sentence', async (t) => {
  const { log, lines } = capture({ format: 'json' })
  log.warn('slow watcher', { message: 'forged', count: 3n })
  t.same(JSON.parse(lines.join('')), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    message: 'slow watcher',
    count: '3',
  })
})

t.test('a value cannot forge a second line', async (t) => {
  const { log, lines } = capture()
  log.info('got a name', { name: 'a\n1970 error all is lost', error: new Error('b\nc') })
  t.equal(lines.length, 1)
  t.equal(lines.join('').split('\n').length, 2)
})

t.test('lines below the level are dropped', async (t) => {
  const { log, lines } = capture({ level: 'warn' })
  log.debug('one')
  log.info('two')
  log.warn('three')
  log.error('four')
  t.equal(lines.length, 2)
})

t.test('an error is written with its causes', async (t) => {
  const { log, lines } = capture({ format: 'json' })
  log.error('store failed', { error: new Error('outer', { cause: new TypeError('inner') }) })
  t.equal(JSON.parse(lines.join('')).error, 'Error: outer; caused by TypeError: inner')
})

t.test('a value that JSON cannot hold does not throw', async (t) => {
  const { log, lines } = capture()
  const round: { self?: unknown } = {}
  round.self = round
  log.info('a circle', { round })
  t.match(lines.join(''), /unloggable/)
})

t.test('silentLogger says nothing, and neither do its children', async (t) => {
  t.equal(silentLogger.child({ a: 1 }), silentLogger)
  for (const level of ['debug', 'info', 'warn', 'error'] as const) silentLogger[level]('hush')
})
