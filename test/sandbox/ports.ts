// Decides which TCP ports the processes of a sandbox listen on. Touches ports of this machine, for the time of a look.
import { createServer, type Server } from "node:net";

// Below Linux' ephemeral range (32768-60999), from which outgoing connections take theirs at any moment, and above
// the ports that services are known by. 375 blocks of 32: more sandboxes than one machine runs at a time.
const FIRST_BLOCK = 20_000;
const BLOCK_SIZE = 32;
const BLOCKS = 375;
// How far above the wished port to look before giving up: a person who has that many of them taken wants to know.
const PORTS_TRIED = 50;

/** Ports that no other sandbox on this machine is given at the same time. */
export interface PortBlock {
  /** A port of the block that was free on all addresses a moment ago; never the same one twice. */
  take(): Promise<number>;
  /** Gives the block back. */
  release(): Promise<void>;
}

/**
 * Claims a block by listening on its first port for as long as it is held: the kernel keeps two processes apart, and
 * a claim cannot outlive its process. `random` is in [0, 1) and chooses where the search begins.
 */
export async function claimPorts(random: () => number = Math.random): Promise<PortBlock> {
  const offset = Math.floor(random() * BLOCKS);
  for (let n = 0; n < BLOCKS; n++) {
    const first = FIRST_BLOCK + ((offset + n) % BLOCKS) * BLOCK_SIZE;
    const guard = await tryListen(first, "127.0.0.1");
    if (guard !== null) return portsOf(first, guard);
  }
  throw new Error(`no block of ports between ${FIRST_BLOCK} and ${FIRST_BLOCK + BLOCKS * BLOCK_SIZE} is free`);
}

function portsOf(first: number, guard: Server): PortBlock {
  guard.unref();
  let next = first + 1;
  return {
    take: async () => {
      while (next < first + BLOCK_SIZE) {
        const port = next++;
        if (await isFree(port)) return port;
      }
      throw new Error(`all ${BLOCK_SIZE - 1} ports from ${first + 1} on are taken`);
    },
    release: () => close(guard),
  };
}

/** The first port from `wished` upwards that is free on all addresses. Throws when the next fifty are all taken. */
export async function firstFreePort(
  preferred: number,
  free: (port: number) => Promise<boolean> = isFree,
): Promise<number> {
  for (let port = preferred; port < preferred + PORTS_TRIED; port++) if (await free(port)) return port;
  throw new Error(
    `the ports ${preferred} to ${preferred + PORTS_TRIED - 1} are all taken: end one of the programs there`,
  );
}

/** True when nothing listens on `port`, on any address of this machine, IPv4 or IPv6. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "0.0.0.0", "::"]) {
    const server = await tryListen(port, host);
    if (server === null) return false;
    await close(server);
  }
  return true;
}

/** A listening server, or null when the port is taken. Where the machine lacks the address (no IPv6) it is no server
 * that listens, which is as good: nobody else can listen there either. */
function tryListen(port: number, host: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(null);
      else if (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL") resolve(server);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => server.close(() => resolve()));
}
