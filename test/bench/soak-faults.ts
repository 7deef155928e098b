// The faults of a soak run, one after the other: instances that end or fall silent, API calls that fail, Redis that hangs, an nginx that
// others reload, a template that changes. Touches the emulator, and the processes of the sandbox by signals.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../emulator/random.ts";
import type { Pod } from "../integration/pod.ts";
import type { RunningNginx } from "../sandbox/nginx.ts";

export interface SoakFault {
  what: string;
  begin(): Promise<unknown>;
  /** Null: there is nothing to end. */
  end: (() => Promise<unknown>) | null;
}

const LISTS = { path: "^/api/v[01]/instances/", method: "GET", times: 0 };
// How long a fault lasts, and how long it is quiet afterwards, in seconds.
const LASTS = [3, 15] as const;
const QUIET = [5, 25] as const;

/** All kinds, each of which can happen again and again. `pod` has a Redis. */
export function soakFaults(pod: Pod, nginx: RunningNginx): readonly [SoakFault, ...SoakFault[]] {
  const { emulator, redis } = pod;
  const event = (name: string, back: string | null = null): SoakFault => ({
    what: `instance: ${name}`,
    begin: () => onInstance(pod, name),
    end: back === null ? null : () => onInstance(pod, back),
  });
  const failing = (what: string, rule: object): SoakFault => ({
    what,
    begin: () => emulator.send("POST", "faults", rule),
    end: () => emulator.send("DELETE", "faults"),
  });
  let templates = 0;
  return [
    event("kill"),
    event("exit"),
    event("move"),
    event("restart"),
    event("mute", "unmute"),
    event("offline", "recover"),
    failing("lists: 503", { ...LISTS, effect: { status: 503 } }),
    failing("lists: no answer", { ...LISTS, effect: { kind: "hang-before" } }),
    failing("lists: half an answer", { ...LISTS, effect: { kind: "garbage" } }),
    failing("every call: 429", { path: "^/", times: 0, effect: { status: 429 } }),
    failing("creates: connection cut", { path: "^/api/v0/asks/", times: 1, effect: { kind: "cut-after" } }),
    {
      what: "Redis hangs",
      begin: async () => redis?.server.signal("SIGSTOP"),
      end: async () => redis?.server.signal("SIGCONT"),
    },
    {
      what: "somebody edits the config and reloads nginx",
      begin: async () => {
        await appendFile(join(nginx.confFolder, "default.conf"), "# edited\n");
        nginx.master.signal("SIGHUP");
      },
      end: null,
    },
    {
      what: "the template changes",
      begin: async () => {
        templates += 1;
        await emulator.send("PATCH", "templates/demo", { readme: `soak ${templates}` });
      },
      end: null,
    },
  ];
}

async function onInstance(pod: Pod, event: string): Promise<void> {
  const [instance] = await pod.emulator.live(pod.label);
  if (instance !== undefined) await pod.emulator.event(instance.id, event);
}

/** Runs faults in random order until `signal`; `began` is told of each. What a fault has begun is always ended. */
export async function runSoakFaults(
  faults: readonly [SoakFault, ...SoakFault[]],
  random: Random,
  began: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const wait = (seconds: readonly [number, number]) =>
    delay(1000 * random.between(seconds[0], seconds[1]), undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    await wait(QUIET);
    if (signal.aborted) return;
    const { what, begin, end } = random.pick(faults);
    began(what);
    await begin();
    if (end === null) continue;
    await wait(LASTS);
    await end();
  }
}
