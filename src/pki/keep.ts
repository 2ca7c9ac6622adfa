// Keeps keys and certificates in one file that only its owner may read, replaced as a whole or not at all.
// A file that cannot be read is an error, never a reason to make new keys: that would lock every client out.

import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CertificateAndKey } from './certificate.ts'
import type { ServerNames } from './names.ts'
import type { KeptSigningKey } from './signing-keys.ts'

/** Everything a plane must still have after a restart. */
export interface KeptPki {
  readonly formatVersion: 1
  readonly authority: CertificateAndKey
  /** Newest first. */
  readonly signingKeys: readonly KeptSigningKey[]
  readonly serving?: (CertificateAndKey & ServerNames) | undefined
}

export const keptFileName = 'pki.json'

/** What is kept in the directory; undefined when it holds nothing yet. */
export async function readKept(directory: string): Promise<KeptPki | undefined> {
  const path = join(directory, keptFileName)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`the keys in ${path} cannot be read`, { cause: error })
  }
  // A volume's fsGroup or a careless copy may have opened the file to others.
  await chmod(path, 0o600)
  return parseKept(text, path)
}

/** Resolves when the file is durable. */
export async function writeKept(directory: string, kept: KeptPki): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, keptFileName)
  // A draft that a crash left behind is written over.
  const draft = `${path}.draft`
  try {
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(kept, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncDirectory(directory)
}

function parseKept(text: string, path: string): KeptPki {
  let kept: Partial<KeptPki>
  try {
    kept = JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is damaged: restore it from a backup`, { cause: error })
  }
  if (kept?.formatVersion !== 1) {
    throw new Error(`${path} has format version ${kept?.formatVersion}, and this program knows version 1`)
  }
  if (!isPair(kept.authority) || !Array.isArray(kept.signingKeys) || kept.signingKeys.length === 0) {
    throw new Error(`${path} is damaged: restore it from a backup`)
  }
  return kept as KeptPki
}

function isPair(pair: CertificateAndKey | undefined): boolean {
  return typeof pair?.certificatePem === 'string' && typeof pair.keyPem === 'string'
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open directories; there the rename alone must do.
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
