// An image change by surge: the outdated instance serves until its replacement does, whatever happens meanwhile.
import { describe, expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import type { Truth } from "./emulator-truth.ts";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { judge } from "./laws/all.ts";
import { spansOf } from "./laws/two-instances.ts";
import { idIn, isList, rowsOf, withCalls } from "./planted-calls.ts";
import type { Injection } from "./scenario.ts";
import { MINUTE_MS, podKilled, scenarioWith } from "./scenario-with.ts";
import { type RunOptions, simulate } from "./simulation.ts";

const TYPO = "example/app:typo";
const image = (atMinute: number, name = "example/app:2", losesDisk = false): Injection => ({
  kind: "image",
  at: atMinute * MINUTE_MS,
  image: name,
  losesDisk,
});

async function surged(injections: Injection[], options: RunOptions = {}, env: Record<string, string> = {}) {
  const scenario = scenarioWith(injections, {
    surgePods: [0],
    env,
    emulator: { bootSeconds: 60, appSeconds: 30, images: { [TYPO]: { failure: "manifest unknown" } } },
  });
  const { truth } = await simulate(scenario, { holdProbesMs: HOLD_PROBES_MS, ...options });
  return { truth, laws: [...new Set(judge(truth).map(({ law }) => law))] };
}

/** For how long nothing served between these minutes, in s. */
function unserved({ pods, start }: Truth, fromMinute: number, toMinute: number): number {
  const [from, to] = [start + fromMinute * MINUTE_MS, start + toMinute * MINUTE_MS];
  const served = (pods[0]?.serving ?? []).reduce((sum, span) => {
    return sum + Math.max(0, Math.min(span.to, to) - Math.max(span.from, from));
  }, 0);
  return Math.round((to - from - served) / 1000);
}
const made = ({ creates }: Truth) => creates.filter((one) => one.made !== null).length;
/** The restart of the provisioner interrupts nothing: nginx and the upstream file live on. */
const SECONDS_OF_A_NEW_POD = 30;

describe("an image change by surge", () => {
  test("interrupts nothing, and ends with one instance", async () => {
    const { truth, laws } = await surged([image(10)]);
    expect(laws).toEqual([]);
    expect(made(truth)).toBe(2);
    expect(unserved(truth, 9, 40)).toBe(0);
    expect(truth.pods[0]?.serving.map(({ id }) => id)).toEqual(
      truth.contracts.filter((one) => one.label === truth.pods[0]?.label).map(({ id }) => id),
    );
  });

  test("to an image that cannot be pulled costs no instance, and the corrected one follows", async () => {
    const { truth, laws } = await surged([image(10, TYPO), image(30)]);
    expect(laws).toEqual([]);
    expect(unserved(truth, 9, 50)).toBe(0);
    expect(made(truth)).toBe(3);
  });

  test.each([10.3, 11, 11.6, 12])("goes on after a crash at minute %s", async (minute) => {
    const { truth, laws } = await surged([image(10), podKilled(minute, false)]);
    expect(laws).toEqual([]);
    expect(unserved(truth, 9, 40)).toBe(0);
    expect(made(truth)).toBe(2);
  });

  test.each([
    ["with Redis", "true"],
    ["without", "false"],
  ])("goes on in another pod without the disk, %s", async (_, enabled) => {
    for (const minute of [10.4, 11, 11.7]) {
      const { truth, laws } = await surged([image(10), podKilled(minute, true)], {}, { BLACKLIST_ENABLED: enabled });
      expect(laws).toEqual([]);
      expect(unserved(truth, 9, 40)).toBeLessThan(SECONDS_OF_A_NEW_POD);
      expect(made(truth)).toBe(2);
    }
  });

  test("in a rollout with new disks serves from the old instance until the new one does", async () => {
    const { truth, laws } = await surged([image(10, "example/app:2", true)]);
    expect(laws).toEqual([]);
    expect(unserved(truth, 9, 40)).toBeLessThan(SECONDS_OF_A_NEW_POD);
    expect(made(truth)).toBe(2);
  });

  test("whose create has an unknown outcome makes no second one", async () => {
    const rule = { method: "PUT", path: "^/api/v0/asks/", times: 1, effect: { kind: "hang-after" } };
    const fault: Injection = { kind: "api-fault", at: 9.9 * MINUTE_MS, forMs: 5 * MINUTE_MS, rule };
    const { truth, laws } = await surged([fault, image(10)]);
    expect(laws).toEqual([]);
    expect(made(truth)).toBe(2);
    expect(unserved(truth, 9, 40)).toBe(0);
  });

  test("waits while nginx does not take the new config", async () => {
    const down: Injection = { kind: "reloader-down", at: 10.5 * MINUTE_MS, pod: 0, forMs: 8 * MINUTE_MS };
    const { truth, laws } = await surged([image(10), down]);
    expect(laws).toEqual([]);
    expect(unserved(truth, 9, 40)).toBe(0);
  });
});

describe("the end of a contract, with surge", () => {
  const ends: Injection = {
    kind: "instance",
    at: 5 * MINUTE_MS,
    pod: 0,
    event: "ends-in",
    body: { seconds: 1800 },
    undo: null,
  };

  test("interrupts nothing, and ends with one instance", async () => {
    const { truth, laws } = await surged([ends]);
    expect(laws).toEqual([]);
    expect(made(truth)).toBe(2);
    expect(unserved(truth, 9, 60)).toBe(0);
  });

  test.each([20.3, 21, 21.7])("goes on in another pod without the disk at minute %s", async (minute) => {
    const { truth, laws } = await surged([ends, podKilled(minute, true)]);
    expect(laws).toEqual([]);
    expect(unserved(truth, 9, 60)).toBeLessThan(SECONDS_OF_A_NEW_POD);
    expect(made(truth)).toBe(2);
  });
});

describe("an image change by surge of five pods at once", () => {
  /** The most pods that had two instances at one instant. */
  async function mostDoubled(env: Record<string, string>) {
    const pods = 5;
    const { truth } = await simulate(
      scenarioWith([image(10)], {
        pods,
        surgePods: [0, 1, 2, 3, 4],
        env: { BLACKLIST_ENABLED: "true", ...env },
        emulator: { bootSeconds: 120, appSeconds: 30 },
        faultyMinutes: 40,
      }),
      { holdProbesMs: HOLD_PROBES_MS },
    );
    expect(judge(truth)).toEqual([]);
    for (const pod of truth.pods) expect(pod.serving).toHaveLength(2);
    const doubled = truth.pods.map((pod) => spansOf(truth, pod, (count) => count > 1));
    const at = (instant: number) =>
      doubled.filter((spans) => spans.some(({ from, to }) => from <= instant && instant < to)).length;
    return Math.max(...doubled.flat().map(({ from }) => at(from)));
  }

  test("doubles no more pods than VAST_MAX_UPDATING says, and all get it", async () => {
    expect(await mostDoubled({ VAST_MAX_UPDATING: "2" })).toBe(2);
    expect(await mostDoubled({})).toBeGreaterThan(2);
  });
});

test("an older provisioner that gets the lease back leaves a surge to the one that has begun it", async () => {
  const injections: Injection[] = [
    { kind: "freeze", at: 10 * MINUTE_MS, pod: 0, forMs: 3 * MINUTE_MS },
    { kind: "overlap", at: 10.1 * MINUTE_MS, pod: 0, forMs: 30 * MINUTE_MS },
    image(10.2),
    { kind: "freeze", at: 11.7 * MINUTE_MS, pod: 0, forMs: 8 * MINUTE_MS },
  ];
  const { truth, laws } = await surged(injections, {}, { BLACKLIST_ENABLED: "true" });
  expect(laws).toEqual([]);
  expect(made(truth)).toBe(2);
  const [first] = truth.contracts.filter((one) => one.label === truth.pods[0]?.label);
  expect(truth.destroys.map(({ id }) => id)).toEqual([first?.id]);
  expect(unserved(truth, 9, 40)).toBeLessThan(SECONDS_OF_A_NEW_POD);
});

describe("law 17", () => {
  test("a program that believes in its new instance too early gives up the one that serves", async () => {
    const believes = (dependencies: Dependencies): Dependencies => ({
      ...dependencies,
      probe: async (...probed) => ({ ...(await dependencies.probe(...probed)), ok: true, tcp: true }),
    });
    expect((await surged([image(10)], { alter: believes })).laws).toContain("surge-bounded");
  });

  test("a program that takes every destroy for done without sending it has two instances for too long", async () => {
    const ended = new Set<number>();
    const forgets = withCalls(async (call, pass) => {
      if (call.method === "DELETE") {
        ended.add(idIn(call.path));
        return { success: true };
      }
      if (!isList(call)) return "pass";
      const answer = await pass();
      const instances = rowsOf(answer).filter((row) => !ended.has(Number(row.id)));
      return { ...answer, instances, instances_found: instances.length, total_instances: instances.length };
    });
    expect((await surged([image(10)], { alter: forgets })).laws).toContain("surge-bounded");
  });
});
