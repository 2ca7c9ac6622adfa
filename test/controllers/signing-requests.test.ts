// Certificates by request: made, approved and used with the real kubectl; what is refused; what is forgotten.

import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { certificateSigningRequests } from '../../src/client/resources.ts'
import { endsAtMs } from '../../src/controllers/certificates/signing-requests.ts'
import { newKey } from '../../src/pki/certificate.ts'
import { derBitString, derContext, derInteger, derObjectIdentifier, derSequence } from '../../src/pki/der.ts'
import { writeSubject } from '../../src/pki/names.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { until } from './simulate-pods.ts'

function pem(key: KeyObject, commonName: string, organizations: readonly string[], signer = key): string {
  const info = derSequence(
    derInteger(Buffer.from([0])),
    writeSubject({ commonName, organizations, uids: [] }),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    derContext(0),
  )
  const algorithm = derSequence(derObjectIdentifier('1.2.840.10045.4.3.2'))
  const der = derSequence(info, algorithm, derBitString(sign('sha256', info, signer)))
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
}

const asked = (name: string, request: string, more = '') => `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: { name: ${name} }
spec:
  request: ${Buffer.from(request).toString('base64')}
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
  username: somebody-else
${more}
`

test('kubectl approves a request, and its certificate opens the API', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const { ok, kubectl } = cluster
  const key = newKey()
  await ok('create -f -', asked('jane', pem(key, 'jane', ['dev']), '  expirationSeconds: 3600'))
  t.match(
    await ok('get csr jane'),
    /jane\s+\S+\s+kubernetes.io\/kube-apiserver-client\s+kubernetes-admin\s+60m\s+Pending/,
  )
  t.match((await kubectl('certificate approve jane')).stdout, /approved/)
  const [signed] = await until(
    client,
    certificateSigningRequests,
    ([one]) => one?.status?.certificate !== undefined,
  )
  t.match(await ok('get csr jane'), /Approved,Issued/)
  const folder = t.testdir({})
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  await writeFile(files.certificate, Buffer.from(signed?.status?.certificate ?? '', 'base64'))
  await writeFile(files.key, key.export({ type: 'pkcs8', format: 'pem' }))
  await ok(`config set-credentials jane --client-certificate=${files.certificate} --client-key=${files.key}`)
  t.match(await ok('auth whoami -o yaml --user=jane'), /- dev\n[\s\S]*username: jane/)
  const denied = await kubectl('certificate deny jane')
  t.match(denied.stderr, /already Approved/)
})

test('requests that ask for too much, or are nobody’s, are refused or marked as failed', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const { ok, kubectl } = cluster
  const key = newKey()
  const masters = await kubectl('create -f -', asked('root', pem(key, 'root', ['system:masters'])))
  t.match(masters.stderr, /signer with system:masters group is not allowed/)
  const stolen = await kubectl('create -f -', asked('thief', pem(key, 'thief', [], newKey())))
  t.match(stolen.stderr, /spec.request: Invalid value: .*not signed with its own key/)
  t.match(
    (await kubectl('create -f -', asked('junk', 'junk'))).stderr,
    /PEM block type must be CERTIFICATE REQUEST/,
  )
  const short = asked('short', pem(key, 'x', []), '  expirationSeconds: 60')
  t.match((await kubectl('create -f -', short)).stderr, /may not specify a duration less than 600 seconds/)
  await ok('create -f -', asked('server', pem(key, 'x', [])).replace('client auth', 'server auth'))
  await ok('certificate approve server')
  const [failed] = await until(
    client,
    certificateSigningRequests,
    ([one]) => one?.status?.conditions?.length === 2,
  )
  t.match(failed?.status?.conditions?.[1], {
    type: 'Failed',
    reason: 'SignerValidationFailure',
    message: 'invalid usage for client certificate: server auth',
  })
  t.equal(failed?.spec.username, 'kubernetes-admin')
})

test('answered requests are kept for an hour, others for a day', (t) => {
  const spec = { request: '', signerName: 'example.com/any' }
  const created = { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' }
  const hours = (status: Parameters<typeof endsAtMs>[0]['status']) =>
    (endsAtMs({ metadata: created, spec, ...(status === undefined ? {} : { status }) }) -
      Date.parse('2026-01-01T00:00:00Z')) /
    3_600_000
  const decided = (type: string) => [{ type, status: 'True', lastUpdateTime: '2026-01-01T02:00:00Z' }]
  t.equal(hours(undefined), 24)
  t.equal(hours({ conditions: decided('Denied') }), 3)
  t.equal(hours({ conditions: decided('Approved') }), 26)
  t.equal(hours({ conditions: decided('Approved'), certificate: 'x' }), 3)
  t.end()
})
