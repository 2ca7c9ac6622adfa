// A plane for a test: in memory on a free port of loopback, with kubectl at hand; closed when the test ends.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { openPlane, type Plane, type PlaneOptions } from '../../src/plane/plane.ts'
import { type KubectlResult, runKubectl } from '../run-kubectl.ts'

export interface TestPlane extends AsyncDisposable {
  readonly plane: Plane
  readonly kubeconfig: string
  /** `await kubectl('get pods -n default')`: words as typed, quotes kept together; all calls share one cache. */
  kubectl(line: string, input?: string): Promise<KubectlResult>
  /** As `kubectl`, and throws what kubectl said unless it exits with 0. Answers standard output. */
  ok(line: string, input?: string): Promise<string>
}

export async function startTestPlane(options: PlaneOptions = {}): Promise<TestPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-plane-'))
  const plane = await openPlane({ listen: { host: '127.0.0.1', port: 0 }, ...options })
  const kubeconfig = join(folder, 'kubeconfig.yaml')
  await writeKubeconfig({ path: kubeconfig, content: plane.kubeconfig() })
  const kubectl = (line: string, input = ''): Promise<KubectlResult> =>
    runKubectl(words(line), { kubeconfig, input, home: folder })
  const ok = async (line: string, input = ''): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(line, input)
    if (code !== 0) throw new Error(`kubectl ${line}: exit ${code}: ${stderr}${stdout}`)
    return stdout
  }
  const close = async (): Promise<void> => {
    await plane.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { plane, kubeconfig, kubectl, ok, [Symbol.asyncDispose]: close }
}

function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
