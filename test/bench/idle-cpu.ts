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
const HOUR_MS = 3_600_000;

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
    const children = [provisioner, reloader];
    const began = performance.now();
    const before = children.map(costUntilNow);
    await delay(MEASURE_MS);
    const after = children.map(costUntilNow);
    const hours = (performance.now() - began) / HOUR_MS;
    const cpu = (index: number) => ((after[index]?.cpuSeconds ?? 0) - (before[index]?.cpuSeconds ?? 0)) / hours;
    const wakeUps = (index: number) => ((after[index]?.wakeUps ?? 0) - (before[index]?.wakeUps ?? 0)) / (hours * 3600);
    const line = (what: string, value: number, unit: string): ResultLine => ({
      what: `idle: ${what}`,
      ours: { value, unit },
      against: null,
      goal: null,
    });
    return [
      { ...line("both programs", cpu(0) + cpu(1), "CPU s/h"), goal: { atMost: 6 } },
      line("provisioner", cpu(0), "CPU s/h"),
      line("the same", wakeUps(0), "wake-ups/s"),
      line("reloader", cpu(1), "CPU s/h"),
      line("the same", wakeUps(1), "wake-ups/s"),
    ];
  } finally {
    await pod.close();
  }
}

function costUntilNow({ pid, name }: Child): Cost {
  if (pid === undefined) throw new Error(`${name} has no process`);
  const threads = readdirSync(`/proc/${pid}/task`);
  const wakeUps = threads.map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
  });
  return { cpuSeconds: cpuSecondsOf(pid), wakeUps: wakeUps.reduce((sum, one) => sum + one, 0) };
}
