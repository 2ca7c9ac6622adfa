// `k3v deploy`: a package becomes a release in one namespace of the host.
// What deploying is stands in deploy/deploy.ts; this file reads flags and prints.

import { Args, Flags } from '@oclif/core'
import { exitCodes } from '../base.ts'
import { HostCommand, hostFlags, timeoutFlag } from '../host-command.ts'

export default class Deploy extends HostCommand {
  static override summary = 'Deploy a package: one pod in one namespace of the host, without cluster rights.'
  static override description =
    'Asks the host first whether you may do all that is needed, applies the host’s objects, and waits until the ' +
    'release is ready. Deploying a newer package changes a running release in place. Exit code 3: not ready in time.'

  static override examples = [
    '<%= config.bin %> deploy guestbook-1.0.0.tgz -n team-a',
    '<%= config.bin %> deploy guestbook-1.0.0.tgz --name blue --share-namespace --timeout 2m',
  ]

  static override args = {
    package: Args.string({ description: 'a file that k3v pack wrote', required: true }),
  }

  static override flags = {
    ...hostFlags,
    name: Flags.string({ description: 'name of the release; the package’s unless given' }),
    image: Flags.string({ description: 'image with Node 24 or newer for the control plane' }),
    'share-namespace': Flags.boolean({
      description: 'deploy beside other releases, which then must be trusted',
    }),
    timeout: timeoutFlag,
    wait: Flags.boolean({ description: 'wait until it is ready', default: true, allowNo: true }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Deploy)
    const timeoutMs = flags.wait ? this.milliseconds(flags.timeout) : undefined
    const { readPackage } = await import('../../packages/archive/archive.ts')
    const found = await readPackage(args.package)
    const { client: host, namespace } = await this.connectHost(flags)
    const { bringUp } = await import('../bring-up.ts')
    const release = flags.name ?? found.name
    try {
      const { name, version, manifest, objects, program } = found
      const result = await bringUp({
        host,
        namespace,
        release,
        payload: {
          name,
          version,
          objects: objects.map(({ object }) => object),
          health: manifest.health,
          expose: manifest.expose,
        },
        program,
        image: flags.image,
        memory: manifest.plane.memory,
        storage: manifest.plane.storage,
        sharesNamespace: flags['share-namespace'],
        timeoutMs,
        onProgress: (message) => this.progress(message),
      })
      if (!result.isReady && flags.wait) {
        this.fail(`release ${release} is not ready: ${result.message}`, {
          exit: result.isFailed ? exitCodes.failed : exitCodes.notReady,
          suggestions: [`k3v status ${release} -n ${namespace}`],
        })
      }
      this.log(`release ${release} (${name} ${version}) in namespace ${namespace}: ${result.message}`)
      return { release, namespace, package: name, version, ...result }
    } finally {
      await host[Symbol.asyncDispose]()
    }
  }
}
