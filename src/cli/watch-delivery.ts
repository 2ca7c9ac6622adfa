// Packing, deploying and waiting, as `k3v watch` hands them to the loop.
// One release: the name is fixed by a flag or by the first package that was deployed.

import type { Client } from '../client/client.ts'
import type { FollowOptions } from '../gitops/follow.ts'
import type { Package } from '../packages/archive/archive.ts'
import { packageError } from '../packages/failure.ts'

export interface DeliveryOptions {
  readonly host: Client
  readonly namespace: string
  readonly name?: string | undefined
  readonly image?: string | undefined
  readonly timeoutMs: number
}

type Deliveries = Pick<FollowOptions<Package>, 'pack' | 'deploy' | 'wait'>

export function startDeliveries({ host, namespace, name, image, timeoutMs }: DeliveryOptions): Deliveries {
  let release = name
  return {
    pack: async (files, signal) => {
      const packed = await pack(files, signal)
      // Another name would leave the first release behind and start a second one beside it.
      if (name === undefined && release !== undefined && packed.name !== release)
        throw packageError(
          'k3v.yaml',
          `the package is now called ${packed.name}; release ${release} is followed`,
        )
      return packed
    },
    deploy: async (found) => {
      const { bringUp } = await import('./bring-up.ts')
      release ??= found.name
      const { manifest, objects, program } = found
      const { generation } = await bringUp({
        host,
        namespace,
        release,
        payload: {
          name: found.name,
          version: found.version,
          objects: objects.map(({ object }) => object),
          health: manifest.health,
          expose: manifest.expose,
        },
        program,
        image,
        memory: manifest.plane.memory,
        storage: manifest.plane.storage,
        timeoutMs: undefined,
        onProgress: () => undefined,
      })
      return generation
    },
    wait: async (generation, signal) => {
      const { waitForRelease } = await import('../deploy/wait.ts')
      return waitForRelease({ host, namespace, release: release ?? '', generation, timeoutMs, signal })
    },
  }
}

async function pack(files: Parameters<Deliveries['pack']>[0], signal: AbortSignal): Promise<Package> {
  const [{ packFiles }, { readPackage }, { createSandbox }, { createProof }, { bootProofPlane }, program] =
    await Promise.all([
      import('../packages/pack.ts'),
      import('../packages/archive/archive.ts'),
      import('../packages/sandbox/sandbox.ts'),
      import('../deploy/prove/prove.ts'),
      import('../plane/proof.ts'),
      import('./program-files.ts'),
    ])
  const { bytes } = await packFiles({
    files,
    signal,
    sandbox: createSandbox(),
    prove: createProof({ bootPlane: bootProofPlane }),
    program: program.readProgram,
    tools: await program.readTools(),
  })
  return readPackage(bytes)
}
