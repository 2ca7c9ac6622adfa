// Service account tokens: what is issued is recognised, and nothing else is. Attack B17.

import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { keySet } from '../../src/authn/key-set.ts'
import { createServiceAccountAuthenticator, createTokenIssuer } from '../../src/authn/service-accounts.ts'
import { openPki } from '../../src/pki/pki.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { FakeReader } from '../authz/fake-reader.ts'

const issuer = 'https://kubernetes.default.svc'
const account: KubeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace: 'shop', name: 'web' },
}
const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web-0' },
  spec: { nodeName: 'node-1' },
}
const boundPod = { kind: 'Pod', name: 'web-0', uid: 'Pod-web-0' } as const

async function start() {
  const clock = new FakeClock()
  const random = seededRandom('tokens')
  const reader = new FakeReader([account, pod])
  const pki = await openPki({ dnsNames: [], ipAddresses: [], clock, random })
  const options = { issuer, audiences: [issuer], signingKeys: pki.signingKeys, reader, clock }
  const tokens = createTokenIssuer({ ...options, random })
  const authenticator = createServiceAccountAuthenticator(options)
  const issue = async (request: Partial<Parameters<typeof tokens.issue>[0]> = {}) =>
    (
      await tokens.issue({
        namespace: 'shop',
        serviceAccount: { name: 'web', uid: 'ServiceAccount-web' },
        audiences: [],
        expirationSeconds: 3600,
        ...request,
      })
    ).token
  const who = (bearerToken: string) =>
    authenticator.authenticate({ bearerToken, clientCertificate: undefined })
  return { clock, reader, pki, tokens, authenticator, issue, who }
}

const unauthorized = { code: 401 }
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const read = (token: string, at: number) =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString())

t.test('a token names its account, its groups, and what it is bound to', async (t) => {
  const { issue, who } = await start()
  const token = await issue({ boundObject: boundPod })
  const { jti } = read(token, 1)
  t.same(await who(token), {
    name: 'system:serviceaccount:shop:web',
    uid: 'ServiceAccount-web',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${jti}`],
      'authentication.kubernetes.io/node-name': ['node-1'],
      'authentication.kubernetes.io/pod-name': ['web-0'],
      'authentication.kubernetes.io/pod-uid': ['Pod-web-0'],
    },
  })
})

t.test('the claims are upstream’s', async (t) => {
  const { issue, clock } = await start()
  const token = await issue({ audiences: ['a', 'b'], boundObject: boundPod })
  const now = clock.now() / 1000
  const claims = read(token, 1)
  t.match(claims, {
    aud: ['a', 'b'],
    exp: now + 3600,
    iat: now,
    nbf: now,
    iss: issuer,
    sub: 'system:serviceaccount:shop:web',
    'kubernetes.io': {
      namespace: 'shop',
      serviceaccount: { name: 'web', uid: 'ServiceAccount-web' },
      pod: { name: 'web-0', uid: 'Pod-web-0' },
      node: { name: 'node-1' },
    },
  })
  t.equal(read(token, 0).alg, 'ES256')
})

t.test('forged and foreign tokens are refused', async (t) => {
  const { issue, pki, who, clock } = await start()
  const good = await issue({ boundObject: boundPod })
  const [header = '', payload = '', signature = ''] = good.split('.')
  const key = pki.signingKeys.current()
  const claims = read(good, 1)
  const kid = key.id
  const resign = (head: object, body: unknown, privateKey = key.privateKey) => {
    const signed = `${part(head)}.${part(body)}`
    const bytes = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${bytes.toString('base64url')}`
  }
  const es = { alg: 'ES256', kid }
  const with_ = (change: object) => resign(es, { ...claims, ...change })
  const inner = (change: object) => with_({ 'kubernetes.io': { ...claims['kubernetes.io'], ...change } })
  const now = clock.now() / 1000
  const publicPem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const hmac = (secret: string) => {
    const signed = `${part({ alg: 'HS256', kid })}.${payload}`
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }
  const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const rsaSigned = `${part({ alg: 'RS256', kid })}.${payload}`
  const der = sign('sha256', Buffer.from(`${header}.${payload}`), key.privateKey).toString('base64url')
  t.equal((await who(resign(es, claims)))?.name, 'system:serviceaccount:shop:web')
  const forged: Record<string, string> = {
    'no algorithm': `${part({ alg: 'none', kid })}.${payload}.`,
    'no algorithm, with a signature': `${part({ alg: 'none', kid })}.${payload}.${signature}`,
    'no algorithm, other case': `${part({ alg: 'NonE', kid })}.${payload}.${signature}`,
    'the public key as an HMAC secret': hmac(publicPem),
    'an empty HMAC secret': hmac(''),
    'RSA with an own key': `${rsaSigned}.${sign('sha256', Buffer.from(rsaSigned), rsaKey).toString('base64url')}`,
    'algorithm name in other case': resign({ alg: 'es256', kid }, claims),
    'another curve’s name': resign({ alg: 'ES384', kid }, claims),
    'an own key under our id': resign(es, claims, otherKey),
    'an own key sent along': resign(
      {
        alg: 'ES256',
        kid,
        jwk: createPrivateKey(otherKey.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' }),
      },
      claims,
      otherKey,
    ),
    'an unknown key': resign({ alg: 'ES256', kid: 'unknown' }, claims),
    'a key id that is a path': resign({ alg: 'ES256', kid: '../../dev/null' }, claims),
    'a key id that is a URL': resign({ alg: 'ES256', kid: 'http://127.0.0.1/key' }, claims),
    'a key id that is a list': resign({ alg: 'ES256', kid: [kid] }, claims),
    'no key id': resign({ alg: 'ES256' }, claims),
    'critical extensions': resign({ ...es, crit: ['b64'], b64: false }, claims),
    'a changed claim': `${header}.${part({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`,
    'a cut signature': good.slice(0, -4),
    'an empty signature': `${header}.${payload}.`,
    'a signature of zeros': `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    'a signature in DER': `${header}.${payload}.${der}`,
    'another issuer': with_({ iss: 'https://elsewhere' }),
    'no issuer': with_({ iss: undefined }),
    'the legacy issuer': with_({ iss: 'kubernetes/serviceaccount' }),
    'another audience': with_({ aud: ['vault'] }),
    'no audience': with_({ aud: undefined }),
    'an empty audience': with_({ aud: [] }),
    'an audience that only starts like ours': with_({ aud: [`${issuer}.evil`] }),
    expired: with_({ exp: now - 61 }),
    'no end': with_({ exp: undefined }),
    'an end that is a text': with_({ exp: '9999999999' }),
    'an end that is null': with_({ exp: null }),
    'not valid yet': with_({ nbf: now + 61 }),
    'issued in the future': with_({ iat: now + 61 }),
    'a subject of another account': with_({ sub: 'system:serviceaccount:shop:other' }),
    'another namespace': inner({ namespace: 'kube-system' }),
    'an unknown account': inner({ serviceaccount: { name: 'gone', uid: 'x' } }),
    'another uid of the account': inner({ serviceaccount: { name: 'web', uid: 'old' } }),
    'no uid of the account': inner({ serviceaccount: { name: 'web' } }),
    'another uid of the pod': inner({ pod: { name: 'web-0', uid: 'old' } }),
    'no uid of the pod': inner({ pod: { name: 'web-0' } }),
    'an unknown secret': inner({ pod: undefined, secret: { name: 'gone', uid: 'x' } }),
    'an unknown node': inner({ pod: undefined, node: { name: 'gone', uid: 'x' } }),
    'no claims of ours': with_({ 'kubernetes.io': undefined }),
    'claims that are a list': resign(es, [claims]),
    'four parts': `${good}.${signature}`,
    'a header that is no JSON': `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`,
    'padding in the signature': `${good}=`,
    'too long': `${good}${'A'.repeat(20_000)}`,
  }
  for (const [name, token] of Object.entries(forged)) {
    // Tokens that are not of this sort are left to others: then nobody knows them, and the chain refuses them.
    const user = await who(token).catch((error) => (error.code === 401 ? undefined : Promise.reject(error)))
    t.equal(user, undefined, name)
  }
})

t.test('a clock that is off by less than a minute does no harm', async (t) => {
  const { issue, who, clock } = await start()
  const token = await issue()
  await clock.advance(3_659_000)
  t.ok(await who(token))
  await clock.advance(2_000)
  await t.rejects(who(token), unauthorized)
})

t.test('a token ends with its account, and does not come back with a new one of that name', async (t) => {
  const { issue, who, reader } = await start()
  const token = await issue()
  t.ok(await who(token))
  reader.remove(account)
  await t.rejects(who(token), unauthorized)
  reader.put({ ...account, metadata: { ...account.metadata, uid: 'second' } })
  await t.rejects(who(token), unauthorized)
  reader.put(account)
  t.ok(await who(token))
})

t.test('a token ends with its pod, a minute after the grace period is over', async (t) => {
  const { issue, who, reader, clock } = await start()
  const token = await issue({ boundObject: boundPod })
  const deletionTimestamp = new Date(clock.now() + 30_000).toISOString()
  reader.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp } })
  t.ok(await who(token))
  await clock.advance(91_000)
  await t.rejects(who(token), unauthorized)
  reader.put({ ...pod, metadata: { ...pod.metadata, uid: 'second' } })
  await t.rejects(who(token), unauthorized)
  reader.remove(pod)
  await t.rejects(who(token), unauthorized)
})

t.test('a token ends when its key is forgotten', async (t) => {
  const { issue, who, pki, clock, tokens } = await start()
  const request = {
    namespace: 'shop',
    serviceAccount: { name: 'web', uid: 'ServiceAccount-web' },
    audiences: [],
    expirationSeconds: 20 * 365 * 24 * 3600,
  }
  const { token } = await tokens.issue(request)
  t.ok(await who(token))
  for (let year = 0; year < 8; year += 1) {
    t.ok(await who(token))
    await clock.advance(366 * 24 * 3_600_000)
    await pki.renewIfDue()
  }
  await t.rejects(who(token), unauthorized)
  t.ok(await who(await issue()))
})

t.test('a token for others is theirs, and TokenReview says so', async (t) => {
  const { issue, who, authenticator } = await start()
  const token = await issue({ audiences: ['vault', 'db'] })
  await t.rejects(who(token), unauthorized)
  const review = await authenticator.reviewToken?.(token, ['db', 'web'])
  t.match(review, { ok: true, audiences: ['db'], user: { name: 'system:serviceaccount:shop:web' } })
  t.same(await authenticator.reviewToken?.(token, []), {
    ok: false,
    error: `token audiences ["vault" "db"] is invalid for the target audiences ["${issuer}"]`,
  })
  t.same(await authenticator.reviewToken?.('opaque', []), { ok: false, error: '' })
})

t.test('the token of a Secret is good while the Secret holds it', async (t) => {
  const { tokens, who, reader } = await start()
  const token =
    tokens.issueForSecret?.({
      namespace: 'shop',
      serviceAccount: { name: 'web', uid: 'ServiceAccount-web' },
      secretName: 'web-token',
    }) ?? ''
  const secret = (content: string, type = 'kubernetes.io/service-account-token'): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'shop', name: 'web-token' },
    type,
    data: { token: Buffer.from(content).toString('base64') },
  })
  await t.rejects(who(token), unauthorized)
  reader.put(secret(token))
  t.match(await who(token), { name: 'system:serviceaccount:shop:web' })
  reader.put(secret(token, 'Opaque'))
  await t.rejects(who(token), unauthorized)
  reader.put(secret('another'))
  await t.rejects(who(token), unauthorized)
  reader.put(secret(token))
  reader.remove(account)
  await t.rejects(who(token), unauthorized)
})

t.test('the published key set has every key that verifies, and no private part', async (t) => {
  const { pki, clock, issue } = await start()
  await clock.advance(366 * 24 * 3_600_000)
  await pki.renewIfDue()
  const { keys } = keySet(pki.signingKeys) as { keys: Record<string, string>[] }
  t.equal(keys.length, 2)
  t.equal(keys[0]?.['kid'], read(await issue(), 0).kid)
  t.notMatch(JSON.stringify(keys), /"d":/)
})
