// The program in the pod of a release: dist/plane.mjs starts here.
// It reads the environment and ends with the plane; everything else is pod.ts's.

import { createLogger } from '../platform/log.ts'
import { startPod } from './pod.ts'

const { K3V_RELEASE: release, K3V_DATA: dataDirectory = '/data', K3V_POD_IP: podIP } = process.env
const log = createLogger({ level: process.env['K3V_LOG_LEVEL'] === 'debug' ? 'debug' : 'info' })

try {
  if (release === undefined || podIP === undefined)
    throw new Error('K3V_RELEASE and K3V_POD_IP are not set: this program runs in a pod that k3v deploy made')
  const pod = await startPod({
    release,
    dataDirectory,
    podIP,
    programDigest: process.env['K3V_PROGRAM_DIGEST'],
    log,
  })
  await pod.ended
} catch (error) {
  log.error('the plane ends', { error })
  process.exitCode = 1
}
