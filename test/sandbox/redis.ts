// Starts a real Redis in a sandbox. It listens on loopback, or on one address more, and writes nothing to disk.
import { connect } from "node:net";
import type { Child } from "./child.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningRedis {
  readonly port: number;
  /** With database 10, as in deployments. */
  readonly url: string;
  readonly server: Child;
}

export interface RedisOptions {
  /** An address of this machine on which it listens besides loopback, and which the URL names. */
  host?: string;
  /** To start it again on the same port. */
  port?: number;
  /** Additional arguments of redis-server. */
  args?: readonly string[];
  /** The name of its folder in the sandbox. */
  folder?: string;
}

const LOOPBACK = "127.0.0.1";

/** Starts redis-server and resolves when it answers. */
export async function startRedis(sandbox: Sandbox, options: RedisOptions = {}): Promise<RunningRedis> {
  const listen = options.port ?? (await sandbox.port());
  const folder = await sandbox.subfolder(options.folder ?? "redis");
  const { host = LOOPBACK } = options;
  // Without a password Redis answers only on loopback, unless it is told otherwise.
  const more = host === LOOPBACK ? [] : [host, "--protected-mode", "no"];
  const network = ["--port", String(listen), "--bind", LOOPBACK, ...more];
  const args = [...network, "--dir", folder, "--save", "", "--appendonly", "no", ...(options.args ?? [])];
  const server = await sandbox.start({ name: "redis", program: "redis-server", args });
  await until("redis-server answers", () => server.exit() !== null || pings(listen), {
    context: () => server.lines.join("\n"),
  });
  if (server.exit() !== null) throw new Error(`redis-server exited at startup:\n${server.lines.join("\n")}`);
  return { port: listen, url: `redis://${host}:${listen}/10`, server };
}

function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const answer = (pong: boolean) => {
      socket.destroy();
      resolve(pong);
    };
    socket.once("data", (data) => answer(/^(\+PONG|-NOAUTH)/.test(data.toString())));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });
}
