// The two programs beside a bare Node: memory when idle, and time until the first log line.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { openPod, type Pod } from "../integration/pod.ts";
import type { Child } from "../sandbox/child.ts";
import { type Contestant, contestant, interleave } from "./interleave.ts";
import type { ResultLine } from "./result-line.ts";
import { median } from "./statistics.ts";

const MEMORY_ROUNDS = 3;
const START_ROUNDS = 15;
// By then the garbage of the start, some 20 MB, has been collected. After 10 s that depends on chance.
const IDLE_MS = 40_000;
const BARE = ["-e", "setInterval(() => undefined, 1e9)"];
// Without arguments, so that they do not load the argument parser.
const AS_CONTAINERS_DO: readonly string[] = [];
const MEGABYTE = 1024 * 1024;

export async function footprint(): Promise<ResultLine[]> {
  return [...(await memory()), ...(await start())];
}

interface Idle {
  bare: number;
  provisioner: number;
  withRedis: number;
  reloader: number;
}

async function memory(): Promise<ResultLine[]> {
  const idle = contestant(idleMemory);
  await interleave(MEMORY_ROUNDS, [idle]);
  const megabytes = (of: keyof Idle) => ({ value: median(idle.samples.map((one) => one[of])) / MEGABYTE, unit: "MB" });
  const line = (what: string, of: keyof Idle, atMost: number): ResultLine => ({
    what: `resident memory, idle: ${what}`,
    ours: megabytes(of),
    against: { ...megabytes("bare"), what: "bare node" },
    goal: { atMost },
  });
  return [
    line("provisioner", "provisioner", 1.35),
    line("provisioner with Redis", "withRedis", 1.45),
    line("reloader", "reloader", 1.25),
  ];
}

/** All of them, running side by side; in bytes. */
async function idleMemory(): Promise<Idle> {
  const pods: Pod[] = [];
  try {
    const open = async (options: Parameters<typeof openPod>[0]) => {
      const pod = await openPod({ ...options, timeScale: 1, bootSeconds: 1 });
      pods.push(pod);
      const provisioner = await pod.provision({}, AS_CONTAINERS_DO);
      await pod.ready(60_000);
      return { pod, provisioner };
    };
    const [plain, withRedis] = [await open({}), await open({ redis: true })];
    const reloader = await plain.pod.reload();
    const bare = await plain.pod.sandbox.node("bare", BARE);
    await delay(IDLE_MS);
    return {
      bare: await residentBytes(bare),
      provisioner: await residentBytes(plain.provisioner),
      withRedis: await residentBytes(withRedis.provisioner),
      reloader: await residentBytes(reloader),
    };
  } finally {
    for (const pod of pods) await pod.close();
  }
}

async function residentBytes(child: Child): Promise<number> {
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1];
  if (kilobytes === undefined) throw new Error(`${child.name} has exited:\n${child.lines.join("\n")}`);
  return Number(kilobytes) * 1024;
}

async function start(): Promise<ResultLine[]> {
  const pod = await openPod({ timeScale: 1 });
  try {
    const firstLine = (begin: () => Promise<Child>) =>
      contestant(async () => {
        const began = performance.now();
        const child = await begin();
        const said = new Promise<void>((resolve) => child.onLine(() => resolve()));
        if (child.lines.length === 0) await Promise.race([said, child.exited]);
        const ms = performance.now() - began;
        if (child.lines.length === 0) throw new Error(`${child.name} has exited without output`);
        await child.stop();
        return ms;
      });
    const provisioner = firstLine(() => pod.provision({ VAST_POLICY: "observe" }, AS_CONTAINERS_DO));
    const reloader = firstLine(() => pod.reload());
    const bare = contestant(async () => {
      const began = performance.now();
      await (await pod.sandbox.node("node -e 0", ["-e", "0"])).exited;
      return performance.now() - began;
    });
    await interleave(START_ROUNDS, [provisioner, reloader, bare]);
    const line = (what: string, { samples }: Contestant<number>, atMost: number): ResultLine => ({
      what: `start to the first log line: ${what}`,
      ours: { value: median(samples), unit: "ms" },
      against: { value: median(bare.samples), unit: "ms", what: "node -e 0" },
      goal: { atMost },
    });
    return [line("provisioner", provisioner, 2.5), line("reloader", reloader, 2)];
  } finally {
    await pod.close();
  }
}
