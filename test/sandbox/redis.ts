// Starts a real Redis in a sandbox. It listens on loopback and writes nothing to disk.
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

/** Starts redis-server and resolves when it answers. Pass `port` to start it again on the same port. */
export async function startRedis(sandbox: Sandbox, port?: number): Promise<RunningRedis> {
  const listen = port ?? (await sandbox.port());
  const folder = await sandbox.subfolder("redis");
  const args = ["--port", String(listen), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const server = await sandbox.start({ name: "redis", program: "redis-server", args });
  await until("redis-server answers", () => server.exit() !== null || pings(listen), {
    context: () => server.lines.join("\n"),
  });
  if (server.exit() !== null) throw new Error(`redis-server exited at startup:\n${server.lines.join("\n")}`);
  return { port: listen, url: `redis://127.0.0.1:${listen}/10`, server };
}

function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const answer = (pong: boolean) => {
      socket.destroy();
      resolve(pong);
    };
    socket.once("data", (data) => answer(data.toString().startsWith("+PONG")));
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });
}
