// A network of its own for each program of a test: a network namespace on a bridge that has several addresses of this machine. A program
// can be cut off from one of them: what it sends there is lost without an answer, as when a cable is pulled. Needs root. Touches
// namespaces and links of this machine, which `close` removes; what a killed test has left is removed by the next one.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { isRunning } from "./process-table.ts";
import { findProgram } from "./programs.ts";

export interface Network {
  /** Addresses of this machine on the bridge. */
  readonly addresses: readonly [string, string, string];
  /** Adds a namespace. */
  join(): Promise<NetworkHost>;
  /** Removes everything, after the programs in it have ended. */
  close(): Promise<void>;
}

export interface NetworkHost {
  /** Reaches it in any case. */
  readonly address: string;
  /** Words in front of a command that start it in the namespace, with the same process id. */
  readonly command: readonly string[];
  /** From now on nothing that is sent to the address, or comes from it, arrives. */
  cutOff(address: string): Promise<void>;
  reconnect(address: string): Promise<void>;
}

// Addresses for tests of networks (RFC 2544): nobody else uses them.
const NET = "198.18";
// The kernel cuts longer names of links.
const PREFIX = "vpt";
// No link has this hardware address: every link ignores what is sent to it.
const NOBODY = "02:00:00:00:00:01";

/** Throws for users who may not change the network. */
export async function openNetwork(): Promise<Network> {
  if (process.getuid?.() !== 0) throw new Error("network namespaces need root: run this test as root");
  const ip = createIp(findProgram("ip", process.env));
  await removeLeftOvers(ip);
  const bridge = `${PREFIX}${process.pid}`;
  const net = await freeNet(ip);
  const addresses: Network["addresses"] = [`${net}.1`, `${net}.2`, `${net}.3`];
  await ip("link", "add", bridge, "type", "bridge");
  for (const address of addresses) await ip("address", "add", `${address}/24`, "dev", bridge);
  await ip("link", "set", bridge, "up");
  const names: string[] = [];
  return {
    addresses,
    async join() {
      const number = names.length;
      const name = `${bridge}-${number}`;
      names.push(name);
      await ip("netns", "add", name);
      const link = `${PREFIX}${process.pid}.${number}`;
      await ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
      await ip("link", "set", link, "master", bridge, "up");
      const inside = (...args: string[]) => ip("-n", name, ...args);
      await inside("link", "set", "lo", "up");
      await inside("link", "set", "eth0", "up");
      // It talks with each address from another one of its own, so that the answers can be cut off as well.
      const own = (at: number) => `${net}.${10 + number * (addresses.length + 1) + at}`;
      const address = own(addresses.length);
      for (const [at, other] of addresses.entries()) {
        await inside("address", "add", `${own(at)}/32`, "dev", "eth0");
        await inside("route", "add", other, "dev", "eth0", "src", own(at));
      }
      await inside("address", "add", `${address}/24`, "dev", "eth0");
      const lost = ["lladdr", NOBODY, "nud", "permanent", "dev"];
      const back = (to: string) => own(addresses.indexOf(to));
      return {
        address,
        command: ["ip", "netns", "exec", name],
        async cutOff(to) {
          await inside("neigh", "replace", to, ...lost, "eth0");
          await ip("neigh", "replace", back(to), ...lost, bridge);
        },
        async reconnect(to) {
          await inside("neigh", "del", to, "dev", "eth0");
          await ip("neigh", "del", back(to), "dev", bridge);
        },
      };
    },
    async close() {
      for (const name of names.splice(0)) await ip("netns", "del", name);
      await ip("link", "del", bridge);
    },
  };
}

interface Ip {
  (...args: string[]): Promise<void>;
  read(...args: string[]): Promise<string>;
}

function createIp(program: string): Ip {
  const run = promisify(execFile);
  const read = async (...args: string[]) => (await run(program, args)).stdout;
  return Object.assign(async (...args: string[]) => void (await read(...args)), { read });
}

/** A network of which this machine has no address. */
async function freeNet(ip: Ip): Promise<string> {
  const taken = await ip.read("-4", "-brief", "address");
  for (let third = process.pid % 256, tries = 0; tries < 256; third = (third + 1) % 256, tries += 1) {
    const net = `${NET}.${third}`;
    if (!taken.includes(`${net}.`)) return net;
  }
  throw new Error(`this machine has addresses in all networks of ${NET}.0.0/16: remove one`);
}

async function removeLeftOvers(ip: Ip): Promise<void> {
  const isLeft = (name: string) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)(-|$)`).exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  };
  const firstWords = (text: string) => text.split("\n").map((line) => line.split(/[\s@]/)[0] ?? "");
  for (const name of firstWords(await ip.read("netns", "list"))) if (isLeft(name)) await ip("netns", "del", name);
  for (const name of firstWords(await ip.read("-brief", "link"))) if (isLeft(name)) await ip("link", "del", name);
}
