import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Applier, type ApplyOutcome } from "../../../../reloader/apply/apply.ts";
import { ConfigFiles } from "../../../../reloader/apply/config-files.ts";
import { LEAVING_MS, OldWorkers } from "../../../../reloader/apply/old-workers.ts";
import type { Config } from "../../../../reloader/render/render.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { CONFIG, FakeDisk, FakeNginx, GOOD } from "../fake-nginx.ts";
import { configFor, server } from "../samples.ts";

const A = configFor(server(1));
const B = configFor(server(2));
const NONE = configFor(null);
const CONFIGS = [A, B, NONE];

/** nginx and a reloader, which `restart` kills and starts again. */
function setUp() {
  const clock = fakeClock();
  const disk = new FakeDisk(clock.now);
  const nginx = new FakeNginx(clock, disk);
  let stop = new AbortController();
  let applier: Applier;
  const restart = async (desired: Config | null) => {
    stop = new AbortController();
    const files = new ConfigFiles({ configPath: CONFIG, goodPath: GOOD }, disk);
    await files.recover(desired);
    applier = new Applier({ clock, nginx, files, log: nginx, isWithdrawn: async () => false });
  };
  const ensure = (config: Config) => clock.drive(applier.ensure(config, stop.signal));
  /** The reloader is killed while it applies `config`, so long after it began. */
  const killDuring = async (config: Config, afterMs: number) => {
    const work = applier.ensure(config, stop.signal);
    await clock.advance(afterMs);
    stop.abort();
    await clock.drive(work);
  };
  return { clock, disk, nginx, restart, ensure, killDuring };
}

async function running(config: Config) {
  const pod = setUp();
  pod.nginx.start();
  await pod.restart(null);
  expect(await pod.ensure(config)).toMatchObject({ kind: "settled" });
  pod.nginx.reloads = 0;
  return pod;
}

/** Repeats passes until nginx is settled; answers what came before, and how long it took. */
async function settle({ clock, ensure }: ReturnType<typeof setUp>, config: Config) {
  const before = clock.now();
  const outcomes: ApplyOutcome[] = [];
  for (let i = 0; i < 100; i += 1) {
    const outcome = await ensure(config);
    if (outcome.kind === "settled") return { outcomes, ms: clock.now() - before };
    outcomes.push(outcome);
    await clock.advance(250);
  }
  throw new Error(`never settled: ${JSON.stringify(outcomes.at(-1))}`);
}

describe("a connection from before a reload", () => {
  test("that may still send a request delays settled until its worker has closed it for certain", async () => {
    const pod = await running(A);
    pod.nginx.held = true;
    const { outcomes, ms } = await settle(pod, B);
    expect(outcomes[0]).toMatchObject({ kind: "settling", why: null });
    expect(ms).toBeGreaterThanOrEqual(LEAVING_MS);
    expect(ms).toBeLessThan(LEAVING_MS + 1_500);
    expect(pod.nginx.reloads).toBe(1);
  });

  test("delays settled no longer when its worker has exited", async () => {
    const pod = await running(A);
    pod.nginx.held = true;
    await pod.ensure(B);
    pod.nginx.release();
    expect(await pod.ensure(B)).toMatchObject({ kind: "settled" });
  });

  test("does not delay settled when every connection has sent its request", async () => {
    const pod = await running(A);
    pod.nginx.held = true;
    pod.nginx.onlyAnswers = true;
    const { ms } = await settle(pod, B);
    expect(ms).toBeLessThan(200);
    pod.nginx.onlyAnswers = false;
    expect((await settle(pod, B)).ms).toBe(0);
  });

  test("does not delay a second reload longer, if its worker began to leave long before", async () => {
    const pod = await running(A);
    pod.nginx.held = true;
    await settle(pod, B);
    pod.nginx.held = false;
    expect((await settle(pod, NONE)).ms).toBeLessThan(200);
  });
});

test("the answer of a worker that has exited since proves nothing, though the config is the same as before", () => {
  const worker = (pid: number, startedMs: number) => ({ pid, startedMs, isLeaving: false, oldMaster: null });
  const old = new OldWorkers(A.hash, [worker(1, 0)]);
  // nginx was still loading another config when it was signalled: its worker 2 runs that one.
  expect(old.note([{ kind: "hash", hash: A.hash, pid: 1 }], [worker(2, 500)], 1_000)).toBe(false);
  expect(old.note([{ kind: "hash", hash: A.hash, pid: null }], [worker(2, 500)], 1_000)).toBe(true);
});

test("a worker that is older than the one that answers, and silent, is a new one if nginx does not tell it to leave", () => {
  const worker = (pid: number, startedMs: number) => ({ pid, startedMs, isLeaving: false, oldMaster: null });
  const workers = [worker(1, 0), worker(2, 80)];
  const old = new OldWorkers(A.hash, []);
  expect(old.note([{ kind: "hash", hash: A.hash, pid: 2 }], workers, 1_000)).toBe(true);
  expect(old.among(workers, 3_000).map(({ pid }) => pid)).toEqual([1]);
  expect(old.among(workers, 3_001)).toEqual([]);
});

describe("an upgrade of nginx in place", () => {
  test("is not settled while the old master has workers, and names the remedy", async () => {
    const pod = await running(A);
    pod.nginx.upgrade();
    expect(await pod.ensure(B)).toMatchObject({
      kind: "settling",
      why: expect.stringMatching(/upgraded in place.*end that master \(kill -QUIT \d+\)/),
    });
    expect(await pod.ensure(B)).toMatchObject({ kind: "settling" });
    pod.nginx.quitOldMaster();
    expect((await settle(pod, B)).ms).toBe(0);
    expect(pod.nginx.reloads).toBe(1);
  });

  test("is noticed also when the config does not change, and after a restart of the reloader", async () => {
    const pod = await running(A);
    pod.nginx.upgrade();
    expect(await pod.ensure(A)).toMatchObject({ kind: "settling", why: expect.stringContaining("kill -QUIT") });
    await pod.restart(A);
    expect(await pod.ensure(A)).toMatchObject({ kind: "settling", why: expect.stringContaining("kill -QUIT") });
  });
});

describe("a reloader that was killed", () => {
  test("does not take an old worker's word while nginx still loads another config", async () => {
    const pod = await running(A);
    pod.nginx.loadMs = 3_000;
    await pod.killDuring(B, 100);
    await pod.restart(A);
    expect(await pod.ensure(A)).toMatchObject({ kind: "settled", reload: { acceptedMs: expect.any(Number) } });
    expect(pod.nginx.mayAnswer(LEAVING_MS)).toEqual([A.hash]);
  });

  test("does not take it either when another run has put the good config back before", async () => {
    const pod = await running(A);
    pod.nginx.loadMs = 3_000;
    await pod.killDuring(B, 100);
    await pod.restart(A);
    await pod.restart(A);
    await settle(pod, A);
    expect(pod.nginx.mayAnswer(LEAVING_MS)).toEqual([A.hash]);
  });

  test("is not misled by two workers that were started within milliseconds, with different configs", async () => {
    const pod = await running(B);
    pod.nginx.kill();
    pod.nginx.start();
    await pod.killDuring(A, 11);
    await pod.restart(A);
    expect(pod.nginx.mayAnswer(0)).toHaveLength(2);
    await settle(pod, A);
    expect(pod.nginx.mayAnswer(LEAVING_MS)).toEqual([A.hash]);
  });

  test("needs no reload when nothing has changed, also after a worker was replaced", async () => {
    const pod = await running(A);
    await pod.clock.advance(60_000);
    pod.nginx.addWorker();
    pod.nginx.inTurns = true;
    await pod.restart(A);
    expect((await settle(pod, A)).ms).toBeLessThan(500);
    expect(pod.nginx.reloads).toBe(0);
  });

  test("waits until nginx has told the workers before to leave, though they are hardly older than the one that answers", async () => {
    const pod = await running(A);
    pod.nginx.upgrade();
    await pod.killDuring(B, 36);
    pod.nginx.quitOldMaster();
    await pod.restart(B);
    const { outcomes } = await settle(pod, B);
    expect(outcomes[0]).toMatchObject({ kind: "settling", why: null });
    expect(pod.nginx.mayAnswer(LEAVING_MS)).toEqual([B.hash]);
  });

  test("works with a template that does not name the worker", async () => {
    const pod = await running(A);
    pod.nginx.tellsPid = false;
    await pod.restart(A);
    expect((await settle(pod, A)).ms).toBe(0);
    expect((await settle(pod, B)).ms).toBeLessThan(200);
    expect(pod.nginx.running()).toEqual([B.hash]);
  });
});

// The start of a process and the time of a file are known to some 10 ms only. A new master needs longer than that to start.
const UPGRADE_MS = 100;

type Step =
  | { do: "apply" | "restart" | "edit"; config: number }
  | { do: "kill"; config: number; afterMs: number }
  | { do: "wait" | "load"; ms: number }
  | { do: "toggle"; what: "held" | "inTurns" }
  | { do: "upgrade" | "quit" | "crash" };

const config = fc.nat(CONFIGS.length - 1);
const steps: fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constantFrom("apply" as const, "restart" as const, "edit" as const), config }),
  fc.record({ do: fc.constant("kill" as const), config, afterMs: fc.integer({ min: 1, max: 4_000 }) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  fc.record({ do: fc.constant("load" as const), ms: fc.constantFrom(5, 300, 3_000) }),
  fc.record({
    do: fc.constant("toggle" as const),
    what: fc.constantFrom("held" as const, "inTurns" as const),
  }),
  fc.record({ do: fc.constantFrom("upgrade" as const, "quit" as const, "crash" as const) }),
];

test("settled is never said while a worker, or one that is still to come, may answer with another config", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(...steps), { maxLength: 12 }),
      config,
      fc.boolean(),
      async (story, last, onlyAnswers) => {
        const pod = await running(A);
        const { nginx, clock } = pod;
        nginx.onlyAnswers = onlyAnswers; // a leaving worker's connection never becomes silent again
        const apply = async (wanted: Config) => {
          const outcome = await pod.ensure(wanted);
          if (outcome.kind !== "settled") return false;
          // With this the fake has no silent connection, so only the workers that take new ones count.
          const others = nginx.mayAnswer(nginx.onlyAnswers ? 0 : LEAVING_MS).filter((hash) => hash !== wanted.hash);
          expect(others).toEqual([]);
          return true;
        };
        for (const step of story) {
          switch (step.do) {
            case "apply":
              await apply(CONFIGS[step.config] ?? A);
              break;
            case "restart":
              await pod.restart(CONFIGS[step.config] ?? A);
              break;
            case "kill":
              await pod.killDuring(CONFIGS[step.config] ?? A, step.afterMs);
              await pod.restart(CONFIGS[step.config] ?? A);
              break;
            case "edit":
              // Somebody writes another config of ours and reloads.
              await pod.disk.write(CONFIG, (CONFIGS[step.config] ?? A).text);
              nginx.signal();
              break;
            case "wait":
              await clock.advance(step.ms);
              break;
            case "load":
              nginx.loadMs = step.ms;
              break;
            case "toggle":
              nginx[step.what] = !nginx[step.what];
              break;
            case "upgrade":
              nginx.upgrade();
              await clock.advance(UPGRADE_MS);
              break;
            case "quit":
              nginx.quitOldMaster();
              break;
            case "crash":
              nginx.addWorker();
              break;
          }
        }
        // In the end it settles, as soon as nothing is in its way.
        nginx.quitOldMaster();
        nginx.inTurns = true;
        const wanted = CONFIGS[last] ?? A;
        for (let i = 0; i < 100; i += 1) {
          if (await apply(wanted)) return;
          await clock.advance(250);
        }
        throw new Error("it never settles");
      },
    ),
    { numRuns: 300 },
  );
});
