// A plane whose webhook is a real HTTPS server behind a Service with one endpoint, and the documents that set it up.

import type { Json } from '../../src/api/object.ts'
import { startHttpsServer, type TestServer } from '../egress/https-server.ts'
import { startTestPlane, type TestPlane } from '../plane/start-plane.ts'

export interface Review {
  readonly uid: string
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly requestKind: { readonly version: string }
  readonly resource: { readonly resource: string; readonly version: string }
  readonly subResource?: string
  readonly name?: string
  readonly namespace?: string
  readonly operation: string
  readonly object: { readonly metadata: { readonly name?: string; readonly labels?: object } } & Record<
    string,
    Json
  >
  readonly oldObject: Json
  readonly dryRun: boolean
  readonly options: Json
  readonly userInfo: { readonly username: string }
}

/** The path it was asked at, and the request; answers the response without its uid, or a status code. */
export type Hook = (path: string, request: Review) => object | number

export interface WebhookPlane extends TestPlane {
  readonly server: TestServer
}

export async function startWebhookPlane(hook: Hook): Promise<WebhookPlane> {
  const server = await startHttpsServer(['hook.hooks.svc'], (request, body, response) => {
    const review = JSON.parse(body) as { apiVersion: string; request: Review }
    const said = hook((request.url ?? '').split('?')[0] ?? '', review.request)
    if (typeof said === 'number') {
      response.writeHead(said).end('a secret of the far end')
      return
    }
    const answer = { uid: review.request.uid, allowed: true, ...said }
    response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: review.apiVersion, response: answer }))
  })
  const cluster = await startTestPlane({ egress: { dial: server.dial } })
  await cluster.ok('apply -f -', hookService)
  return {
    ...cluster,
    server,
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const hookService = `
apiVersion: v1
kind: Namespace
metadata: { name: hooks }
---
apiVersion: v1
kind: Service
metadata: { name: hook, namespace: hooks }
spec: { ports: [{ port: 443, targetPort: 8443 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: hook, namespace: hooks, labels: { kubernetes.io/service-name: hook } }
addressType: IPv4
endpoints: [{ addresses: [10.244.3.4] }]
ports: [{ name: '', port: 8443 }]
`

interface Wanted {
  readonly name: string
  readonly caBundle: string
  readonly path?: string
  readonly rules?: string
  /** Further fields of the webhook, as YAML in flow style. */
  readonly more?: string
}

const anyConfigMap =
  '[{ apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps] }]'

export function configuration(sort: 'Mutating' | 'Validating', wanted: Wanted): string {
  const { name, caBundle, path = '/', rules = anyConfigMap, more = '' } = wanted
  return `
apiVersion: admissionregistration.k8s.io/v1
kind: ${sort}WebhookConfiguration
metadata: { name: ${name} }
webhooks:
  - name: ${name}.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    rules: ${rules}
    clientConfig: { service: { namespace: hooks, name: hook, path: ${path} }, caBundle: ${caBundle} }
    ${more}
`
}

export const patch = (...operations: readonly object[]): object => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
