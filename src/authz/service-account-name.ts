// The user names of service accounts and nodes, taken apart.
// Upstream: apiserver/pkg/authentication/serviceaccount/util.go.

import { dnsLabel, dnsSubdomain } from '../api/validate/names.ts'

/** `system:serviceaccount:<namespace>:<name>`, or undefined for any other user. */
export function splitServiceAccountName(
  userName: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const prefix = 'system:serviceaccount:'
  if (!userName.startsWith(prefix)) return undefined
  const [namespace = '', name = '', ...rest] = userName.slice(prefix.length).split(':')
  if (rest.length > 0 || dnsLabel(namespace).length > 0 || dnsSubdomain(name).length > 0) return undefined
  return { namespace, name }
}

/** The node of `system:node:<name>`, or undefined. */
export function nodeNameOf(userName: string): string | undefined {
  const prefix = 'system:node:'
  const name = userName.slice(prefix.length)
  return userName.startsWith(prefix) && dnsSubdomain(name).length === 0 ? name : undefined
}
