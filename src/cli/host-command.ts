// What commands that speak to a host have in common: which cluster, which namespace, as whom.
// Each command does one thing with that connection.

import { readFile } from 'node:fs/promises'
import { Flags } from '@oclif/core'
import { BaseCommand } from './base.ts'

export const hostFlags = {
  kubeconfig: Flags.string({
    description: 'kubeconfig of the host cluster',
    env: 'KUBECONFIG',
    helpValue: 'FILE',
  }),
  context: Flags.string({ description: 'context in the kubeconfig; its current one unless given' }),
  namespace: Flags.string({
    char: 'n',
    description: 'namespace of the host; the context’s unless given',
  }),
}

export interface HostFlags {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly namespace?: string | undefined
}

export const timeoutFlag = Flags.string({
  description: 'how long to wait, as in 90s or 5m',
  default: '5m',
})

export abstract class HostCommand extends BaseCommand {
  /** Ends the command when there is no such kubeconfig or context. */
  protected async connectHost({ kubeconfig, context, namespace }: HostFlags) {
    const { connectKubeconfig } = await import('../client/kubeconfig.ts')
    const connection = await connectKubeconfig({ path: kubeconfig, context, userAgent: 'k3v' })
    return { ...connection, namespace: namespace ?? connection.namespace }
  }

  /** `90s`, `5m`, `1h`, or plain seconds. */
  protected milliseconds(text: string): number {
    const found = /^(\d+)(ms|s|m|h)?$/.exec(text)
    if (found === null)
      this.fail(`--timeout ${JSON.stringify(text)}: write it like 90s, 5m or 1h`, { exit: 2 })
    const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[found[2] ?? 's'] ?? 1_000
    return Number(found[1]) * unit
  }
}

/** The script that starts the program in the pod. */
export const bootScript = (): Promise<string> =>
  readFile(new URL('../../templates/start.mjs', import.meta.url), 'utf8')
