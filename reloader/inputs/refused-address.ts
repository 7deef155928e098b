// Decides whether the server's address must not be used as an upstream: one of this machine, or the proxy itself. Pure.

import { BlockList, isIPv4 } from "node:net";
import { localKind, localProblem } from "../../common/local-address.ts";
import type { Server } from "../../common/upstream-file.ts";

export interface AddressRules {
  /** UPSTREAM_ALLOW_LOCAL. */
  allowLocal: boolean;
  /** The ports on which nginx and this program listen. */
  ownPorts: readonly number[];
  /** The addresses of this machine's interfaces. */
  ownAddresses(): readonly string[];
}

/** Why `address`, to which the server's host resolves, must not be used, with the remedy; null when it may. */
export function refusedAddress({ host, port }: Server, address: string, rules: AddressRules): string | null {
  const kind = localKind(address);
  const named = address === host ? address : `${address}, the address of ${host},`;
  if (rules.ownPorts.includes(port) && (kind !== null || isAmong(rules.ownAddresses(), address)))
    return `${named} with port ${port} is this pod's own: nginx would send requests to itself; correct the address that the instance reports`;
  return kind === null || rules.allowLocal ? null : localProblem(named, kind);
}

/** However the addresses are written. */
function isAmong(own: readonly string[], address: string): boolean {
  const family = (one: string) => (isIPv4(one) ? "ipv4" : "ipv6");
  const list = new BlockList();
  for (const one of own) list.addAddress(one, family(one));
  return list.check(address, family(address));
}
