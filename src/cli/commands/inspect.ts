// `k3v inspect`: what a package holds and asks for, from its file alone. Nothing of it is run.
// Reading verifies every digest against the lock; this file prints.

import { Args } from '@oclif/core'
import type { Package } from '../../packages/archive/archive.ts'
import { BaseCommand } from '../base.ts'

export default class Inspect extends BaseCommand {
  static override summary =
    'Show what a package holds: objects, images, APIs, rights, and what no proof could tell.'
  static override description =
    'Reads the archive, compares every file with the digest in its lock, and prints. Needs no cluster.'

  static override examples = [
    '<%= config.bin %> inspect guestbook-1.0.0.tgz',
    '<%= config.bin %> inspect guestbook-1.0.0.tgz --json',
  ]

  static override args = {
    package: Args.string({ description: 'a file that k3v pack wrote', required: true }),
  }

  async run(): Promise<unknown> {
    const { args } = await this.parse(Inspect)
    const { readPackage } = await import('../../packages/archive/archive.ts')
    const found = await readPackage(args.package)
    const { name, version, digest, manifest, lock } = found
    const objects = found.objects.map(({ object: { apiVersion, kind, metadata } }) => ({
      apiVersion,
      kind,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      name: metadata.name,
    }))
    this.log(describe(found, objects))
    const { packageDigest, programDigest, images, apis, rights, tools, unproved } = lock
    const digests = { digest, packageDigest, programDigest }
    return { name, version, ...digests, manifest, objects, images, apis, rights, tools, unproved }
  }
}

interface Listed {
  readonly kind: string | undefined
  readonly namespace?: string
  readonly name?: string | undefined
}

function describe({ name, version, digest, manifest, lock }: Package, objects: readonly Listed[]): string {
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]
  const { description } = manifest
  return [
    `${name} ${version}${description === '' ? '' : `: ${description}`}`,
    `digest: ${digest}`,
    `made with: ${Object.entries(lock.tools)
      .map(([tool, made]) => `${tool} ${made}`)
      .join(', ')}`,
    ...section(
      `objects (${objects.length})`,
      objects.map(
        ({ kind, namespace, name: own }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${own}`,
      ),
    ),
    ...section('images', lock.images),
    ...section(
      'apis',
      lock.apis.map(({ plural, group, versions }) => `${plural}.${group} (${versions.join(', ')})`),
    ),
    ...section('rights on the host that not every package needs', lock.rights.optional),
    ...section(
      'published',
      manifest.expose.map(({ service, port, name: own }) => `${service}:${port} as ${own}`),
    ),
    ...section('not proved', lock.unproved),
  ].join('\n')
}
