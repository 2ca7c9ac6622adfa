// How long from the start of `k3v server --no-sync` to its ready line, and how much memory does it hold when idle?

import { setTimeout as wait } from 'node:timers/promises'
import { median, residentMiB, startServer } from './rig/server-process.ts'

const runs = 5
const idleMs = 10_000
const ready: number[] = []
const resident: number[] = []
for (let run = 0; run < runs; run += 1) {
  await using server = await startServer()
  ready.push(server.readyMs)
  await wait(idleMs)
  resident.push(await residentMiB(server.child.pid ?? 0))
}
console.log(
  `ready after ${median(ready).toFixed(0)} ms (median of ${runs}: ${ready.map((ms) => ms.toFixed(0)).join(', ')})`,
)
console.log(`resident after ${idleMs / 1_000} s idle: ${median(resident).toFixed(0)} MiB`)
