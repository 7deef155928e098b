// Asks nginx which config it runs: the hash on its status port, over a connection of its own. Touches loopback.
import { connect } from "node:net";
import { type Clock, withDeadline } from "../../common/clock.ts";

/**
 * `hash`: the config that answered. `other`: something answered, but not with a hash. `closed`: nobody listens there.
 * `silent`: no answer in time, which proves nothing.
 */
export type HashProbe = { kind: "hash"; hash: string } | { kind: "other" | "closed" | "silent"; why: string };

// Headers, a hash and a line end. Whatever else listens on the port must not fill the memory.
const MAX_ANSWER_CHARS = 4096;
// On loopback an idle nginx answers within a millisecond. One that needs a second is overloaded or stopped. Two seconds
// are what this program has for its own end, and a question that is under way is not cut short.
const TIMEOUT_MS = 1_000;

/** Asks once. Never throws. */
export async function fetchConfigHash(port: number, clock: Clock): Promise<HashProbe> {
  return withDeadline(clock, TIMEOUT_MS, undefined, (signal) =>
    ask(port, "/hash", signal).then(
      (text) => read(port, text),
      (error) => failed(port, error),
    ),
  );
}

/** Asks the same port for nginx' version; null where no nginx with a config of ours tells one. Never throws. */
export async function fetchVersion(port: number, clock: Clock): Promise<string | null> {
  return withDeadline(clock, TIMEOUT_MS, undefined, (signal) =>
    ask(port, "/version", signal).then(
      (text) => /^HTTP\/1\.\d 200 .*\r\n\r\n(\d+\.\d+\.\d+)\s*$/s.exec(text)?.[1] ?? null,
      () => null,
    ),
  );
}

// Plain TCP: a question is asked dozens of times in the milliseconds of a reload, and an HTTP client costs a multiple.
function ask(port: number, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, signal });
    socket.setEncoding("latin1");
    // HTTP/1.0: nginx closes after the answer, so that the next question goes to whichever worker takes it.
    socket.on("connect", () => socket.write(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`));
    socket.on("data", (part: string) => {
      text += part;
      if (text.length > MAX_ANSWER_CHARS) socket.destroy(new Error("the answer is too long for a hash"));
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

function read(port: number, text: string): HashProbe {
  const hash = /^HTTP\/1\.\d 200 .*\r\n\r\n([0-9a-f]{64})\s*$/s.exec(text)?.[1];
  if (hash !== undefined) return { kind: "hash", hash };
  const answered = /^HTTP\/1\.\d (\d{3})/.exec(text)?.[1];
  // A worker that ends closes what it has accepted; that is no answer.
  if (text === "") return { kind: "silent", why: `nginx closed the connection to 127.0.0.1:${port}` };
  return { kind: "other", why: `port ${port} answers ${answered ?? "no HTTP"} without a config's hash` };
}

function failed(port: number, error: Error): HashProbe {
  const code = "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return { kind: "closed", why: `nothing listens on 127.0.0.1:${port}` };
  return { kind: "silent", why: `nginx did not answer on 127.0.0.1:${port} (${code || error.message})` };
}
