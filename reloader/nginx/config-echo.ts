// Asks nginx which config it runs: the hash on its status port, over a connection of its own. Touches loopback.
import { get } from "node:http";
import { type Clock, withDeadline } from "../../common/clock.ts";

/**
 * `hash`: the config that answered. `other`: something answered, but not with a hash. `closed`: nobody listens there.
 * `silent`: no answer in time, which proves nothing.
 */
export type Echo = { kind: "hash"; hash: string } | { kind: "other" | "closed" | "silent"; why: string };

// A hash and a line end. Whatever else listens on the port must not fill the memory.
const LONGEST_ANSWER = 1024;

// On loopback an idle nginx answers within a millisecond. One that needs a second is overloaded or stopped. Two seconds
// are what this program has for its own end, and a question that is under way is not cut short.
const TIMEOUT_MS = 1_000;

/** Asks once. Never throws. */
export async function askHash(port: number, clock: Clock): Promise<Echo> {
  return withDeadline(clock, TIMEOUT_MS, undefined, (signal) => ask(port, signal));
}

function ask(port: number, signal: AbortSignal): Promise<Echo> {
  return new Promise((resolve) => {
    // No agent: a kept connection would go on talking to the worker it was opened to, which may be an old one.
    const options = { host: "127.0.0.1", port, path: "/hash", agent: false, signal, headers: { host: "localhost" } };
    const request = get(options, (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (part: string) => {
        text += part;
        if (text.length > LONGEST_ANSWER) request.destroy(new Error("the answer is too long for a hash"));
      });
      response.on("end", () => resolve(read(port, response.statusCode ?? 0, text)));
      response.on("error", (error) => resolve(failed(port, error)));
    });
    request.on("error", (error) => resolve(failed(port, error)));
  });
}

function read(port: number, status: number, text: string): Echo {
  const hash = /^([0-9a-f]{64})\s*$/.exec(text)?.[1];
  if (status === 200 && hash !== undefined) return { kind: "hash", hash };
  return { kind: "other", why: `port ${port} answers ${status} without a config's hash` };
}

function failed(port: number, error: Error): Echo {
  const code = "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return { kind: "closed", why: `nothing listens on 127.0.0.1:${port}` };
  return { kind: "silent", why: `nginx did not answer on 127.0.0.1:${port} (${code || error.message})` };
}
