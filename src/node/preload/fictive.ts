// Which addresses exist in the actor's map only.
// What stands behind one, the actor knows.

import { BlockList, isIP } from 'node:net'
import type { FictiveNetwork } from './config.ts'

export interface Fictive {
  /** Of the cluster: pods, services, the node. */
  isCluster(address: string): boolean
  /** Loopback: the pod's own, whose ports are in the map too. */
  isLoopback(address: string): boolean
}

export function createFictive(networks: readonly FictiveNetwork[]): Fictive {
  const cluster = new BlockList()
  for (const { network, prefix } of networks) cluster.addSubnet(network, prefix, 'ipv4')
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('0.0.0.0', 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  loopback.addAddress('::', 'ipv6')
  // A BlockList sees an IPv4 address that is written as ::ffff:a.b.c.d as well.
  const check = (list: BlockList, address: string): boolean => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    isCluster: (address) => check(cluster, address),
    isLoopback: (address) => check(loopback, address),
  }
}
