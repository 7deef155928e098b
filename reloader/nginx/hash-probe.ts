// Asks nginx for the hash of the config that it runs, over a new connection to its status port. Touches loopback.
import { connect } from "node:net";
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";

/**
 * `hash`: nginx runs the config with this hash. `other`: something answered, but not with a hash. `closed`: nothing listens
 * on the port. `silent`: no answer in time, which proves nothing.
 */
export type HashProbe =
  | {
      kind: "hash";
      hash: string;
      /** The worker that answered; null when the template does not name it. */
      pid: number | null;
    }
  | { kind: "other" | "closed" | "silent"; why: string };

// Room for headers, a hash and a line end. Another program on that port must not fill the memory.
const MAX_ANSWER_CHARS = 4096;
// On loopback an idle nginx answers within a millisecond; one that needs a second is overloaded or stopped. It must be less
// than the two seconds in which this program has to stop, since a probe is not interrupted.
const TIMEOUT_MS = 1_000;

/** Probes once. Never throws. */
export async function fetchConfigHash(port: number, clock: Clock): Promise<HashProbe> {
  return withDeadline(clock, TIMEOUT_MS, undefined, (signal) =>
    request(port, "/hash", signal).then(
      (text) => read(port, text),
      (error) => failed(port, error),
    ),
  );
}

/** Reads nginx' version from the same port; null when no nginx with a config of ours answers. Never throws. */
export async function fetchVersion(port: number, clock: Clock): Promise<string | null> {
  return withDeadline(clock, TIMEOUT_MS, undefined, (signal) =>
    request(port, "/version", signal).then(
      (text) => /^HTTP\/1\.\d 200 .*\r\n\r\n(\d+\.\d+\.\d+)\s*$/s.exec(text)?.[1] ?? null,
      () => null,
    ),
  );
}

/**
 * True when every connection of nginx, in all its workers, has sent its request: no silent one and no half head is left. Also
 * false when that is not known. Never throws.
 */
export async function hasOnlyAnswers(port: number, clock: Clock): Promise<boolean> {
  return withDeadline(clock, TIMEOUT_MS, undefined, (signal) =>
    request(port, "/stub_status", signal).then(
      (text) => {
        // A connection that is just taking the step from one to the other is "active" and in none of the other counts.
        const [, active, writing] = /Active connections: (\d+) [\s\S]* Writing: (\d+) /.exec(text) ?? [];
        return active !== undefined && active === writing;
      },
      () => false,
    ),
  );
}

// Plain TCP: a reload needs dozens of probes within milliseconds, and an HTTP client costs several times as much.
function request(port: number, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, signal });
    socket.setEncoding("latin1");
    // HTTP/1.0: nginx closes the connection after the answer, so that any worker can accept the next probe.
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
  const [, head = "", hash] = /^(HTTP\/1\.\d 200 .*\r\n)\r\n([0-9a-f]{64})\s*$/s.exec(text) ?? [];
  if (hash !== undefined) {
    const pid = /\r\nx-vast-pod-worker: (\d{1,10})\r\n/i.exec(head)?.[1];
    return { kind: "hash", hash, pid: pid === undefined ? null : Number(pid) };
  }
  const answered = /^HTTP\/1\.\d (\d{3})/.exec(text)?.[1];
  // An exiting worker closes the connections that it has accepted. That is no answer.
  if (text === "") return { kind: "silent", why: `nginx closed the connection to 127.0.0.1:${port}` };
  return {
    kind: "other",
    why: `port ${port} answers, but not with the hash of a config (${answered ?? "no HTTP"})`,
  };
}

function failed(port: number, error: Error): HashProbe {
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return { kind: "closed", why: `nothing listens on 127.0.0.1:${port}` };
  return { kind: "silent", why: `nginx did not answer on 127.0.0.1:${port} (${code ?? error.message})` };
}
