// Chooses the TCP ports that the processes of a sandbox listen on. Opens ports of this machine for a moment to check them.
import { createServer, type Server } from "node:net";

// Below Linux' ephemeral range (32768-60999), which outgoing connections use, and above the well-known ports.
// 375 blocks of 32 ports: more sandboxes than one machine runs at the same time.
const FIRST_BLOCK = 20_000;
const BLOCK_SIZE = 32;
const BLOCKS = 375;
// How many ports to try, from the preferred one up. A user with that many taken ports should be told.
const PORTS_TRIED = 50;

/** Ports that no other sandbox on this machine gets at the same time. */
export interface PortBlock {
  /** A port of the block that was free on all addresses a moment ago. Never returns the same port twice. */
  take(): Promise<number>;
  /** Releases the block. */
  release(): Promise<void>;
}

/**
 * Claims a block by listening on its first port until it is released: the kernel allows only one listener, and the
 * claim ends with its process. `random` is in [0, 1) and chooses where the search starts.
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
      throw new Error(`all ${BLOCK_SIZE - 1} ports from ${first + 1} up are taken`);
    },
    release: () => close(guard),
  };
}

/** The first port from `preferred` up that is free on all addresses. Throws when 50 ports in a row are taken. */
export async function firstFreePort(
  preferred: number,
  free: (port: number) => Promise<boolean> = isFree,
): Promise<number> {
  for (let port = preferred; port < preferred + PORTS_TRIED; port++) if (await free(port)) return port;
  throw new Error(
    `the ports ${preferred} to ${preferred + PORTS_TRIED - 1} are all taken: stop a program that uses one of them`,
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

/**
 * A listening server, or null when the port is taken. If the machine does not have the address (no IPv6), the returned server
 * does not listen, which is just as good: no other program can listen there either.
 */
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
