import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { openRepository } from '../../src/gitops/repository.ts'
import { readSource } from '../../src/gitops/source.ts'

const token = 'canary-7f3a'

async function lookAt(folder: string, answer: RequestListener): Promise<Error> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`
  const source = readSource({ url, ref: 'main', path: '.', token })
  try {
    await openRepository({ source, folder: join(folder, 'store') }).look(AbortSignal.timeout(10_000))
    return new Error('it was answered')
  } catch (error) {
    return error as Error
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

t.test('a redirect is refused, and nothing is asked of where it leads', async (t) => {
  const asked: (string | undefined)[] = []
  const { message } = await lookAt(t.testdir(), (request, response) => {
    asked.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  t.match(message, /the git server redirects/)
  t.equal(asked.length, 1)
})

t.test('a token that is refused, or that the server sends back, is in no message', async (t) => {
  const denied = await lookAt(t.testdir(), (_request, response) => void response.writeHead(401).end(token))
  t.match(denied.message, /access is denied \(401\); K3V_GIT_TOKEN holds the token/)
  const echoed = await lookAt(
    t.testdir(),
    (_request, response) => void response.writeHead(500, token).end(token),
  )
  for (const { message } of [denied, echoed]) t.notMatch(message, new RegExp(token))
})
