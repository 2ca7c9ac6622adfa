// Node ports of a plane without a host: in range, shared by the protocols of one port, given back.
// Cluster IPs are tried by every other test that makes a Service.

import t from 'tap'
import { startTestPlane } from '../plane/start-plane.ts'

const service = (name: string, ports: readonly object[]) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'NodePort', selector: { a: 'b' }, ports },
  })
const tcp = { name: 'tcp', port: 53, protocol: 'TCP' }
const udp = { name: 'udp', port: 53, protocol: 'UDP' }

t.test('a node port outside the range is refused', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  const { stderr } = await plane.kubectl('create -f -', service('low', [tcp, { ...udp, nodePort: 99 }]))
  t.match(
    stderr,
    'spec.ports[1].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767',
  )
})

t.test('two protocols of one port share the node port, asked for or not', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  const asked = { nodePort: 30053 }
  await plane.ok(
    'create -f -',
    service('asked', [
      { ...tcp, ...asked },
      { ...udp, ...asked },
    ]),
  )
  await plane.ok('create -f -', service('given', [tcp, udp]))
  const portsOf = async (name: string) =>
    (await plane.ok(`get service ${name} -o jsonpath={.spec.ports[*].nodePort}`)).split(' ')
  t.same(await portsOf('asked'), ['30053', '30053'])
  const given = await portsOf('given')
  t.equal(given[0], given[1])
  const taken = await plane.kubectl('create -f -', service('late', [{ ...tcp, ...asked }]))
  t.match(taken.stderr, 'provided port is already allocated')
  await plane.ok('delete service asked')
  await plane.ok('create -f -', service('late', [{ ...tcp, ...asked }]))
})
