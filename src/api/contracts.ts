// The interfaces that rooms hand each other, so that none has to import the one that implements it.

import type { GroupVersionResource, Json, KubeObject } from './object.ts'
import type { Status } from './status.ts'
import type { StoredObject } from './stored.ts'

export const verbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const
export type Verb = (typeof verbs)[number]

/** Who asks. Groups hold `system:authenticated` or `system:unauthenticated` already. */
export interface UserInfo {
  readonly name: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
}

/** What is asked, as the authoriser sees it (upstream: authorizer.Attributes). */
export interface Attributes {
  readonly user: UserInfo
  /** A resource verb, `impersonate`, `bind`, `escalate`, or the lower-case HTTP method of a non-resource path. */
  readonly verb: string
  readonly isResource: boolean
  readonly group: string
  readonly version: string
  readonly resource: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** Empty for cluster scope and for all namespaces. */
  readonly namespace: string
  readonly name: string
  /** The path of a non-resource request. */
  readonly path: string
}

export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision
  /** What a user may do in a namespace, for SelfSubjectRulesReview. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): { readonly resourceRules: readonly PolicyRule[]; readonly nonResourceRules: readonly PolicyRule[] }
}

export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  readonly resourceNames?: readonly string[] | undefined
  readonly nonResourceURLs?: readonly string[] | undefined
}

/** Credentials as they came in; the first authenticator that recognises them decides. */
export interface Credentials {
  readonly bearerToken: string | undefined
  /** The verified client certificate, DER, when TLS had one that our CA signed. */
  readonly clientCertificate: Uint8Array | undefined
}

export interface Authenticator {
  /** The user, `undefined` when there are no credentials of this sort; throws `unauthorized()` when they are bad. */
  authenticate(credentials: Credentials): Promise<UserInfo | undefined>
  /** For TokenReview: judges a token for these audiences (none: the plane's own). Absent where tokens are unknown. */
  readonly reviewToken?: ((token: string, audiences: readonly string[]) => Promise<TokenVerdict>) | undefined
}

export type TokenVerdict =
  | { readonly ok: true; readonly user: UserInfo; readonly audiences: readonly string[] }
  /** An empty error: nobody here knows such tokens. */
  | { readonly ok: false; readonly error: string }

/** Reads what is served, newest version, without authorisation: for rooms that must not see catalog or store. */
export interface Reader {
  get(
    resource: { group: string; resource: string },
    namespace: string,
    name: string,
  ): StoredObject | undefined
  /** All of a resource, or of one namespace. */
  list(resource: { group: string; resource: string }, namespace?: string): readonly StoredObject[]
}

/** Query parameters and options bodies, parsed once at the edge. */
export interface CallOptions {
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly limit?: number | undefined
  readonly continue?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: string | undefined
  readonly allowWatchBookmarks?: boolean | undefined
  readonly sendInitialEvents?: boolean | undefined
  readonly timeoutSeconds?: number | undefined
  readonly dryRun?: boolean | undefined
  readonly fieldManager?: string | undefined
  readonly fieldValidation?: 'Ignore' | 'Strict' | 'Warn' | undefined
  readonly force?: boolean | undefined
  /** Of DELETE, from its body or its query. */
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined
}

export const patchTypes = ['json', 'merge', 'strategic', 'apply'] as const
export type PatchType = (typeof patchTypes)[number]

/** One request behind the HTTP edge; loops in the process make the same thing. */
export interface Call {
  readonly user: UserInfo
  readonly verb: Verb
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly options: CallOptions
  /** create and update: the object, decoded from the wire. */
  readonly object?: KubeObject | undefined
  readonly patch?: { readonly type: PatchType; readonly body: Json } | undefined
  /** What decoding noticed (unknown and duplicate fields), for fieldValidation: texts as upstream writes them. */
  readonly decodingWarnings?: readonly string[] | undefined
  /** The part of User-Agent before the first `/`: the field manager when none is given. */
  readonly userAgent?: string | undefined
  readonly signal: AbortSignal
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: StoredObject
}

/** What a watch yields: batches in revision order; a bookmark promises that nothing at or before it will follow. */
export type WatchItem =
  | { readonly type: 'events'; readonly events: readonly WatchEvent[] }
  | { readonly type: 'bookmark'; readonly revision: number; readonly isInitialEventsEnd: boolean }
  | { readonly type: 'error'; readonly status: Status }

/** What describes a resource to the response writer; kinds/kind.ts's Kind fits it. */
export interface Served {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
}

export type Answer = (
  | {
      readonly type: 'object'
      readonly code: 200 | 201 | 202
      readonly served: Served
      readonly object: KubeObject | StoredObject
    }
  | {
      readonly type: 'list'
      readonly served: Served
      readonly revision: number
      readonly items: readonly StoredObject[]
      readonly continue?: string | undefined
      readonly remaining?: number | undefined
    }
  | { readonly type: 'watch'; readonly served: Served; readonly items: AsyncIterable<WatchItem> }
  | { readonly type: 'status'; readonly code: number; readonly status: Status }
) & { readonly warnings?: readonly string[] | undefined }

/** The one door: authorises, admits, writes and reads. Throws ApiError for every refusal. */
export interface Door {
  handle(call: Call): Promise<Answer>
}

/** What an admission plugin sees. `object` is absent on delete, `old` on create. */
export interface AdmissionRequest {
  readonly user: UserInfo
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly resource: GroupVersionResource
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
  readonly isDryRun: boolean
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions, as webhooks are shown them. */
  readonly options?: Json | undefined
  /** Of one run over the mutating plugins; absent where nothing is run again. */
  readonly round?: AdmissionRound | undefined
  readonly warn: (message: string) => void
}

/** The mutating plugins run a second time when one of them asks, so that early ones see what late ones did. */
export interface AdmissionRound {
  readonly isAgain: boolean
  /** What plugins keep from the first run to the second, by their names. */
  readonly memory: Map<string, unknown>
  readonly askAgain: () => void
}

/** A plugin throws `forbidden(…)` (or another ApiError) to refuse. Both steps are optional. */
export interface AdmissionPlugin {
  readonly name: string
  /** Returns the next object, or the same one. */
  readonly mutate?: ((request: AdmissionRequest) => Promise<KubeObject>) | undefined
  readonly validate?: ((request: AdmissionRequest) => Promise<void>) | undefined
}

/** The spine's allocate step: reserves what an object needs outside itself (addresses). */
export interface Allocator {
  /**
   * Called before the write; returns the object with what was reserved. `confirm` is called after the write,
   * `release` when it did not happen. Throws `invalid(…)` or `serviceUnavailable(…)`.
   */
  allocate(request: {
    readonly object: KubeObject
    readonly old: KubeObject | undefined
    readonly resource: { readonly group: string; readonly resource: string }
    readonly isDryRun: boolean
  }): Promise<Reservation>
}

export interface Reservation {
  readonly object: KubeObject
  readonly confirm: () => void
  readonly release: () => void
}

/** Issues service account tokens; authn/ implements it. */
export interface TokenIssuer {
  issue(request: {
    readonly namespace: string
    readonly serviceAccount: { readonly name: string; readonly uid: string }
    readonly audiences: readonly string[]
    readonly expirationSeconds: number
    readonly boundObject?:
      | { readonly kind: 'Pod' | 'Secret' | 'Node'; readonly name: string; readonly uid: string }
      | undefined
  }): Promise<{ readonly token: string; readonly expirationTimestamp: string }>
  /** The token of a Secret of type kubernetes.io/service-account-token: without an end, good while the Secret has it. */
  readonly issueForSecret?: (request: {
    readonly namespace: string
    readonly serviceAccount: { readonly name: string; readonly uid: string }
    readonly secretName: string
  }) => string
}
