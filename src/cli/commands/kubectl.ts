// `k3v kubectl`: the user's own kubectl, pointed at the virtual cluster of a release.
// The kubeconfig lives in a folder that is gone when kubectl ends.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { HostCommand, hostFlags } from '../host-command.ts'
import { explained, kubectlProgram, openTunnel } from '../tunnel.ts'

export default class Kubectl extends HostCommand {
  static override summary = 'Run kubectl against the virtual cluster of a release.'
  static override description =
    'Everything after -- goes to kubectl: $K3V_KUBECTL, or kubectl on the PATH. Where the API is not published on this ' +
    'machine, it is reached through kubectl port-forward while the command runs.'
  static override enableJsonFlag = false
  static override strict = false

  static override examples = [
    '<%= config.bin %> kubectl guestbook -n team-a -- get pods --all-namespaces',
    '<%= config.bin %> kubectl guestbook -n team-a -- apply -f guestbook.yaml',
  ]

  static override args = {
    name: Args.string({ description: 'name of the release', required: true }),
  }

  static override flags = {
    ...hostFlags,
    server: Flags.string({ description: 'address of the API as you reach it', helpValue: 'URL' }),
  }

  async run(): Promise<unknown> {
    const { args, flags, argv } = await this.parse(Kubectl)
    const { client: host, namespace } = await this.connectHost(flags)
    const [{ reachRelease }, { writeKubeconfig }] = await Promise.all([
      import('../../deploy/reach.ts'),
      import('../../client/kubeconfig-file.ts'),
    ])
    const content = await reachRelease({ host, namespace, release: args.name, server: flags.server })
    await host[Symbol.asyncDispose]()
    const tunnel = content.isDirect
      ? undefined
      : await openTunnel({ ...flags, namespace, release: args.name })
    const folder = await mkdtemp(join(tmpdir(), 'k3v-kubectl-'))
    try {
      const path = join(folder, 'kubeconfig.yaml')
      await writeKubeconfig({ path, content: { ...content, server: tunnel?.server ?? content.server } })
      const code = await runKubectl(argv.slice(1).map(String), path)
      if (code !== 0) this.exit(code)
      return undefined
    } finally {
      await tunnel?.[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function runKubectl(args: readonly string[], kubeconfig: string): Promise<number> {
  const child = spawn(kubectlProgram(), args, {
    stdio: 'inherit',
    env: { ...process.env, KUBECONFIG: kubeconfig },
  })
  // Ctrl-C goes to both; kubectl decides, and the folder is removed after it.
  const ignore = (): void => undefined
  process.on('SIGINT', ignore)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => reject(explained(error)))
      child.once('close', (code, signal) =>
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      )
    })
  } finally {
    process.off('SIGINT', ignore)
  }
}
