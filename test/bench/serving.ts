// Time from a reachable instance to the first answer through the pod's nginx, for whole pods with the emulator in real time;
// beside each pod a script that checks every ten seconds.
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { openPod, type Pod } from "../integration/pod.ts";
import { until } from "../sandbox/until.ts";
import { contestant, interleave } from "./interleave.ts";
import type { ResultLine } from "./result-line.ts";
import { median } from "./statistics.ts";

const ROUNDS = 3;
// Pods of one round run side by side because they mostly wait. Their boots end a second apart.
const PODS = 4;
const FIRST_BOOT_SECONDS = 8;
const SCRIPT_LOOKS_EVERY_MS = 10_000;
// The precision of both instants.
const LOOK_EVERY_MS = 20;
const DEADLINE_MS = 60_000;

const contract = z.object({
  id: z.number(),
  ip: z.string(),
  endpoints: z.array(z.object({ container: z.number(), host: z.number() })),
});

export async function serving(): Promise<ResultLine[]> {
  const rounds = contestant((round) =>
    Promise.all(Array.from({ length: PODS }, (_, i) => onePod(FIRST_BOOT_SECONDS + i, round * PODS + i))),
  );
  await interleave(ROUNDS, [rounds]);
  const all = rounds.samples.flat();
  return [
    {
      what: "instance reachable -> pod serving, median",
      ours: { value: median(all.map((one) => one.ours)), unit: "s" },
      against: null,
      goal: { atMost: 2 },
    },
    {
      what: "the same, beside a script",
      ours: { value: median(all.map((one) => one.ours)), unit: "s" },
      against: { value: median(all.map((one) => one.script)), unit: "s", what: "a check every 10 s" },
      goal: null,
    },
  ];
}

/** Both in seconds. The nth script starts at the nth part of its ten seconds, so that the result does not depend on chance. */
async function onePod(bootSeconds: number, n: number): Promise<{ ours: number; script: number }> {
  const pod = await openPod({ emulatorApart: true, proxy: true, timeScale: 1, bootSeconds });
  try {
    const phase = (n / (ROUNDS * PODS)) * SCRIPT_LOOKS_EVERY_MS;
    const seenByScript = look(pod, phase, SCRIPT_LOOKS_EVERY_MS);
    await pod.provision();
    const reachable = await look(pod, 0, LOOK_EVERY_MS);
    const served = await until("the pod serves", async () => ((await fetch(pod.proxyUrl)).ok ? Date.now() : null), {
      everyMs: LOOK_EVERY_MS,
      timeoutMs: DEADLINE_MS,
    });
    return { ours: (served - reachable) / 1000, script: ((await seenByScript) - reachable) / 1000 };
  } finally {
    await pod.close();
  }
}

/** When a check after `phaseMs`, or after any further `everyMs`, found an instance that answers. */
async function look(pod: Pod, phaseMs: number, everyMs: number): Promise<number> {
  await delay(phaseMs);
  for (let looks = 0; looks * everyMs < DEADLINE_MS; looks += 1) {
    if (await answers(pod)) return Date.now();
    await delay(everyMs);
  }
  throw new Error(`no instance answered within ${DEADLINE_MS / 1000} s`);
}

async function answers(pod: Pod): Promise<boolean> {
  const found = contract.safeParse((await pod.emulator.live(pod.label))[0]);
  const port = found.success ? found.data.endpoints.find(({ container }) => container === 8000)?.host : undefined;
  if (!found.success || port === undefined) return false;
  return fetch(`http://${found.data.ip}:${port}/`).then(
    (response) => response.ok,
    () => false, // nothing listens yet
  );
}
