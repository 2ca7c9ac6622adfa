// The narrow seam between HTTP and everything behind it: what a handler sees, and what it answers.
// Sockets, framing, limits and compression stay on the other side, in http.ts and its folder.

/** Request headers, names in lower case. Repeated headers keep their values apart. */
export interface RequestHeaders {
  /** The first value. */
  get(name: string): string | undefined
  all(name: string): readonly string[]
  names(): Iterable<string>
}

export interface HttpRequest {
  readonly method: string
  /** As it came, before the `?`: undecoded, and without an authority. */
  readonly path: string
  /** As it came, after the `?`. */
  readonly query: string
  readonly headers: RequestHeaders
  /** The whole body; bounded in size and time (413, 408). Read it once. */
  body(): Promise<Buffer>
  /** DER, only when TLS verified it against the client authority. */
  readonly clientCertificate: Uint8Array | undefined
  readonly remoteAddress: string
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  /** Aborted when the server stops: long answers end themselves. */
  readonly closing: AbortSignal
}

export type HttpBody = Uint8Array | string | AsyncIterable<Uint8Array>

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: HttpBody | undefined
  /** How many bytes an iterable body will have, when known: decides whether compressing pays. */
  readonly bodyBytes?: number | undefined
  /** The body has no end of its own (a watch): headers leave at once and nothing is compressed. */
  readonly isStream?: boolean | undefined
}

/** Must not reject for a refusal: those are answers. What it does reject with becomes a bare 500. */
export type Handler = (request: HttpRequest) => Promise<HttpResponse>

/** A client's body could not be read; the server answers with `code`. */
export class BodyError extends Error {
  readonly code: 400 | 408 | 413
  constructor(code: 400 | 408 | 413, message: string) {
    super(message)
    this.name = 'BodyError'
    this.code = code
  }
}
