import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { longestGapSeconds, summary } from "./client.ts";
import { isReady, restartsOf } from "./objects.ts";
import { openStage, PATIENCE_MS, type Stage } from "./stage.ts";

const KILLS = 4;
// As long as the readiness probe may take to see a bad answer.
const MOST_SECONDS = 2;

// One deployment for all tests, which run one after another.
describe("a serving pod", () => {
  let stage: Stage;
  let serving = 0;
  beforeAll(async () => {
    stage = await openStage("restart");
    await stage.apply();
    serving = (await stage.serving(1))[0]?.id ?? 0;
  });
  afterAll(() => stage?.close());

  const inContainer = (container: string, script: string) =>
    stage.kubectl("exec", "vast-pod-0", "--container", container, "--", "sh", "-c", script);
  /** The process ids of the container's program, without the shell that supervises it. */
  const programOf = async (name: string) => {
    const script = `for one in /proc/[0-9]*; do case "$(tr '\\0' ' ' 2>/dev/null <$one/cmdline)" in
      "node "*"/app/${name}.mjs"*) echo "\${one#/proc/}" ;; esac; done`;
    return (await inContainer(name, script)).trim().split("\n").filter(Boolean).map(Number);
  };

  test.each(["provisioner", "reloader"])("loses no container and no request while the %s is killed", async (name) => {
    const before = await stage.firstPod();
    await stage.client.answered();
    const mark = await stage.client.mark();
    for (let i = 0; i < KILLS; i++) {
      const [killed] = await until(
        `the ${name} runs`,
        async () => {
          const found = await programOf(name);
          return found.length === 1 ? found : null;
        },
        { timeoutMs: PATIENCE_MS, everyMs: 500 },
      );
      await inContainer(name, `kill -9 ${killed}`);
      await until(`the ${name} runs again`, async () => (await programOf(name)).some((one) => one !== killed), {
        timeoutMs: PATIENCE_MS,
        everyMs: 500,
      });
    }
    // Longer than the readiness probe takes to see a bad answer.
    await stage.client.sends(50);
    const after = await stage.firstPod();
    const samples = await stage.client.since(mark);
    console.log(`${KILLS} kills of the ${name}: ${summary(samples)}`);
    expect(restartsOf(after)).toBe(restartsOf(before));
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(longestGapSeconds(samples)).toBeLessThanOrEqual(MOST_SECONDS);
    expect(new Set(samples.map(({ instance }) => instance).filter((id) => id !== null))).toEqual(new Set([serving]));
    expect((await stage.live()).map(({ id }) => id)).toEqual([serving]);
  });

  test("follows a change of its instance after both were killed", async () => {
    await stage.emulator.event(serving, "kill");
    const next = await until(
      "another instance answers the client",
      async () => {
        const instance = (await stage.client.since((await stage.client.mark()) - 5)).at(-1)?.instance;
        return instance !== null && instance !== undefined && instance !== serving ? instance : null;
      },
      { timeoutMs: PATIENCE_MS, everyMs: 500 },
    );
    expect((await stage.live()).map(({ id }) => id)).toEqual([next]);
    serving = next;
  });

  test("that is evicted finds its instance again", async () => {
    const before = await stage.firstPod();
    await stage.evict("vast-pod-0");
    await until(
      "its successor is ready",
      async () => (await stage.pods()).some((one) => one.metadata.uid !== before.metadata.uid && isReady(one)),
      { timeoutMs: PATIENCE_MS, everyMs: 500 },
    );
    await stage.client.answered();
    expect((await stage.live()).map(({ id }) => id)).toEqual([serving]);
  });

  test("that the kubelet evicts since a volume is full finds its instance again", async () => {
    const before = await stage.firstPod();
    await inContainer("nginx", "head -c 20000000 /dev/zero >/var/run/nginx/much");
    await until(
      "its successor is ready",
      async () => (await stage.pods()).some((one) => one.metadata.uid !== before.metadata.uid && isReady(one)),
      { timeoutMs: PATIENCE_MS, everyMs: 500 },
    );
    expect((await stage.live()).map(({ id }) => id)).toEqual([serving]);
  });
});
