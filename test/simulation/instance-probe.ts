// The probe of an instance: the rules of the real one over the emulator's ports, without TCP. Touches the emulator.
import type { Probe } from "../../provisioner/observe/probe.ts";
import type { Emulator } from "../emulator/emulator.ts";
import type { Random } from "../emulator/random.ts";
import type { HeldProbes } from "./held-probes.ts";
import type { Process } from "./process.ts";

export interface ProbeParts {
  emulator: Emulator;
  random: Random;
  healthPath: string | undefined;
  /** True while packets to instances are lost. */
  broken(): boolean;
  /** Answers a probe that would pass as the last one did only after `ms`, or when something changes. */
  hold?: { ms: number; probes: HeldProbes; isSettled(): boolean };
  /** Called with every result. */
  probed(host: string, port: number, ok: boolean): void;
}

// As in the real probe.
const DEADLINE_MS = 5000;
const BANNER_WAIT_MS = 300;
// A handshake with a host somewhere in the world, ms.
const NEAREST_MS = 5;
const FARTHEST_MS = 250;

export function instanceProbe(parts: ProbeParts, process: Process): Probe {
  const { emulator, random, healthPath } = parts;
  const { clock } = process;
  let passed = ""; // where the last probe has passed

  /** Waits until the probe may have another result than the last one, or for a while. */
  async function waitForChange(address: string, instanceId: number, signal: AbortSignal | undefined): Promise<void> {
    const { hold } = parts;
    if (hold === undefined || passed !== address || !hold.isSettled() || !hold.probes.mayHold()) return;
    const wait = new AbortController();
    const wake = () => wait.abort("changed");
    const release = hold.probes.hold(instanceId, wake);
    signal?.addEventListener("abort", wake, { once: true });
    await clock.sleep(hold.ms, wait.signal);
    signal?.removeEventListener("abort", wake);
    release();
  }

  return async (endpoint, instanceId, signal) => {
    const { host, port } = endpoint;
    const address = `${host}:${port}`;
    await waitForChange(address, instanceId, signal);
    const startedAt = clock.now();
    const done = (ok: boolean, tcp: boolean, why: string) => {
      passed = ok ? address : "";
      parts.probed(host, port, ok);
      const refused = why === "ECONNREFUSED";
      return { endpoint, startedAt, at: clock.now(), ok, tcp, refused, why: ok ? "" : `${address}: ${why}` };
    };
    if (parts.broken()) {
      await clock.sleep(DEADLINE_MS, signal);
      return done(false, false, "no connection in time");
    }
    await clock.sleep(random.integer(NEAREST_MS, FARTHEST_MS) + BANNER_WAIT_MS, signal);
    const visited = emulator.visit(
      host,
      port,
      { method: "GET", url: healthPath ?? "/", headers: {}, body: "" },
      instanceId,
    );
    if (visited.kind === "refused") return done(false, false, "ECONNREFUSED");
    if (visited.kind === "ssh") return done(false, false, "sshd answers there");
    if (healthPath === undefined) return done(true, true, "");
    await clock.sleep(Math.min(visited.delayMs, DEADLINE_MS), signal);
    if (visited.delayMs >= DEADLINE_MS) return done(false, true, "no answer in time");
    const passes = visited.status >= 200 && visited.status < 400;
    return done(passes, true, `answered ${visited.status}`);
  };
}
