// What an idle pod costs a node: CPU time of the two programs for an hour, and how often they wake up.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { openPod } from "../integration/pod.ts";
import type { Child } from "../sandbox/child.ts";
import { startNginx } from "../sandbox/nginx.ts";
import { cpuSecondsOf } from "./cpu-time.ts";
import type { ResultLine } from "./result-line.ts";

// By then the compiler has done most of its work, and the instance has been watched for some passes.
const SETTLE_MS = 60_000;
const MEASURE_MS = 180_000;
const HOUR_SECONDS = 3600;

interface Cost {
  cpuSeconds: number;
  wakeUps: number;
}

export async function idleCpu(): Promise<ResultLine[]> {
  const pod = await openPod({ timeScale: 1, bootSeconds: 1 });
  try {
    const provisioner = await pod.provision();
    await startNginx(pod.sandbox);
    const reloader = await pod.reload();
    await pod.ready(60_000);
    await delay(SETTLE_MS);
    const [ofProvisioner, ofReloader] = await Promise.all([costOf(provisioner), costOf(reloader)]);
    const line = (what: string, value: number, unit: string): ResultLine => ({
      what: `idle: ${what}`,
      ours: { value, unit },
      against: null,
      goal: null,
    });
    return [
      { ...line("both programs", ofProvisioner.cpuSeconds + ofReloader.cpuSeconds, "CPU s/h"), goal: { atMost: 6 } },
      line("provisioner", ofProvisioner.cpuSeconds, "CPU s/h"),
      line("the same", ofProvisioner.wakeUps, "wake-ups/s"),
      line("reloader", ofReloader.cpuSeconds, "CPU s/h"),
      line("the same", ofReloader.wakeUps, "wake-ups/s"),
    ];
  } finally {
    await pod.close();
  }
}

/** CPU seconds for an hour, and wake-ups for a second. */
async function costOf(child: Child): Promise<Cost> {
  const began = performance.now();
  const before = costUntilNow(child);
  await delay(MEASURE_MS);
  const after = costUntilNow(child);
  const seconds = (performance.now() - began) / 1000;
  return {
    cpuSeconds: ((after.cpuSeconds - before.cpuSeconds) / seconds) * HOUR_SECONDS,
    wakeUps: (after.wakeUps - before.wakeUps) / seconds,
  };
}

function costUntilNow({ pid }: Child): Cost {
  const threads = readdirSync(`/proc/${pid}/task`);
  const wakeUps = threads.map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
  });
  return { cpuSeconds: cpuSecondsOf(pid), wakeUps: wakeUps.reduce((sum, one) => sum + one, 0) };
}
