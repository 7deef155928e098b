// Decides whether an address can only mean this machine or its link, so that it is never an instance's. Pure.
import { BlockList, isIPv4, isIPv6 } from "node:net";

interface Kind {
  name: string;
  ipv4: readonly (readonly [address: string, bits: number])[];
  ipv6: readonly (readonly [address: string, bits: number])[];
}

// RFC 6890 and its successors. Private addresses are none of these: an instance may be in the same network.
const KINDS: readonly Kind[] = [
  { name: "an unspecified address", ipv4: [["0.0.0.0", 8]], ipv6: [["::", 128]] },
  { name: "a loopback address", ipv4: [["127.0.0.0", 8]], ipv6: [["::1", 128]] },
  { name: "a link-local address", ipv4: [["169.254.0.0", 16]], ipv6: [["fe80::", 10]] },
  // With the broadcast address and all others that no machine has.
  { name: "a multicast address", ipv4: [["224.0.0.0", 3]], ipv6: [["ff00::", 8]] },
];

// IPv6 addresses that contain an IPv4 address after this many bits: mapped (which `BlockList` would also know), compatible, NAT64, 6to4.
const EMBEDDED: readonly (readonly [bits: number, address: (high: string, low: string) => string])[] = [
  [96, (high, low) => `::ffff:${high}:${low}`],
  [96, (high, low) => `::${high}:${low}`],
  [96, (high, low) => `64:ff9b::${high}:${low}`],
  [16, (high, low) => `2002:${high}:${low}::`],
];

const LISTS = KINDS.map(({ name, ipv4, ipv6 }) => {
  const list = new BlockList();
  for (const [address, bits] of ipv6) list.addSubnet(address, bits, "ipv6");
  for (const [address, bits] of ipv4) {
    list.addSubnet(address, bits, "ipv4");
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    const [high, low] = [a * 256 + b, c * 256 + d].map((part) => part.toString(16));
    for (const [before, format] of EMBEDDED) list.addSubnet(format(high ?? "", low ?? ""), before + bits, "ipv6");
  }
  return { name, list };
});

// Most addresses need no comparison with the lists: an IPv4 address is in one only if its first number begins one.
const FIRST_NUMBERS = new Set(
  KINDS.flatMap(({ ipv4 }) => ipv4).flatMap(([address, bits]) => {
    const first = Number.parseInt(address, 10);
    return bits >= 8 ? [first] : Array.from({ length: 2 ** (8 - bits) }, (_, i) => first + i);
  }),
);

// RFC 6761: these names always mean the machine itself.
const LOCAL_NAME = /^(.+\.)?localhost\.?$/i;

/** What kind of local address or name `host` is; null when it may be an instance's. A name can still resolve to a local one. */
export function localKind(host: string): string | null {
  if (LOCAL_NAME.test(host)) return "a name of the machine itself";
  const family = isIPv4(host) ? "ipv4" : isIPv6(host) ? "ipv6" : null;
  if (family === null || (family === "ipv4" && !FIRST_NUMBERS.has(Number.parseInt(host, 10)))) return null;
  // ::1 is also the IPv4-compatible form of 0.0.0.1, so the more telling kinds come first.
  return LISTS.toReversed().find(({ list }) => list.check(host, family))?.name ?? null;
}

/** The sentence for a host that must not be used. */
export function localProblem(host: string, kind: string): string {
  return `${host} is ${kind}, which is never an instance's: set UPSTREAM_ALLOW_LOCAL=true only to try vast-pod out on one machine`;
}
