// Five pods with one API key and one address, a real Redis, and the API's rate limits on: one of them reads the instance list for all.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

const PODS = 5;
// Redis' clock is real: with faster clocks of the pods its 10 s of a lead would last too long.
const LONGEST_MS = 180_000;

let pod: Pod;
let redis: Redis;
let members: { label: string; child: Child; status(): Promise<Record<string, unknown>> }[] = [];

beforeEach(async () => {
  pod = await openPod({ redis: true, timeScale: 1, bootSeconds: 1, emulatorArgs: ["--rate-limits", "on"] });
  redis = new Redis(pod.redis?.url ?? "");
  members = await Promise.all(Array.from({ length: PODS }, (_, i) => start(`vast-pod-${i}`)));
}, LONGEST_MS);
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

async function start(name: string) {
  const port = String(await pod.sandbox.port());
  const folder = await pod.sandbox.subfolder(name);
  const child = await pod.provision({
    POD_NAME: name,
    STATE_PATH: `${folder}/provisioner.json`,
    UPSTREAM_PATH: `${folder}/upstream.json`,
    PROVISIONER_STATUS_PORT: port,
  });
  const status = async () =>
    (await fetch(`http://127.0.0.1:${port}/status`)).json() as Promise<Record<string, unknown>>;
  return { label: `k8s_pod=${name}`, child, status };
}

const lists = async () =>
  (await pod.emulator.requests()).filter(({ method, path }) => method === "GET" && path === "/api/v1/instances/");
const leaders = () =>
  members.filter(({ child }) => child.exit() === null && logOf(child).filter(isFleet).at(-1)?.msg === LEADS);
const isFleet = ({ event }: Record<string, unknown>) => event === "fleet";
const LEADS = "this pod reads the instance list for all pods of the account";

const allReady = (expected: () => typeof members) =>
  until(
    "all are ready",
    async () => {
      const states = await Promise.all(expected().map(async ({ status }) => (await status()).state));
      return states.every((state) => state === "ready");
    },
    {
      timeoutMs: LONGEST_MS,
      context: () =>
        expected()
          .flatMap(({ child }) => child.lines.slice(-5))
          .join("\n"),
    },
  );

async function expectOneInstanceEach(): Promise<void> {
  for (const { label } of members) expect(await pod.emulator.live(label)).toHaveLength(1);
}

test(
  "all become ready by the list of one of them, which hardly calls the API once they are, and another one follows when it is killed or paused",
  async () => {
    await allReady(() => members);
    await expectOneInstanceEach();
    const [first] = leaders();
    expect(leaders()).toHaveLength(1);
    const byOthers = (await lists()).filter(({ query }) => /"eq"/.test(query.select_filters ?? ""));
    expect(byOthers).toEqual([]);

    first?.child.signal("SIGKILL");
    await first?.child.exited;
    const others = () => members.filter((one) => one !== first);
    const [second] = await until("another pod leads", async () => (leaders().length === 1 ? leaders() : null), {
      timeoutMs: 60_000,
    });

    second?.child.signal("SIGSTOP");
    const third = await until(
      "a third pod leads",
      async () => leaders().find((one) => one !== first && one !== second) ?? null,
      { timeoutMs: 60_000 },
    );
    // The paused one learns that it does not lead any more, and what it had read has no effect.
    second?.child.signal("SIGCONT");
    await until("only one leads", async () => leaders().length === 1, { timeoutMs: 60_000 });
    expect(leaders()).toEqual([third]);
    await allReady(others);
    await expectOneInstanceEach();

    const before = (await lists()).length;
    const [from] = await redis.time();
    await until("20 s have passed", async () => Number((await redis.time())[0]) - Number(from) >= 20, {
      timeoutMs: 60_000,
    });
    expect((await lists()).length - before).toBeLessThanOrEqual(6);
  },
  LONGEST_MS,
);

test(
  "a row that cannot be read concerns its own pod only: another pod still replaces the instance that it lost",
  async () => {
    await allReady(() => members);
    const [damaged, lost] = await Promise.all(
      members.slice(0, 2).map(async ({ label }) => (await pod.emulator.live(label))[0]?.id ?? 0),
    );
    await pod.emulator.event(damaged ?? 0, "row", { id: "damaged" });
    await pod.emulator.event(lost ?? 0, "kill");
    const second = members[1]?.label ?? "";
    await until(
      "the lost one is replaced",
      async () => (await pod.emulator.live(second)).some(({ id }) => id !== lost),
      { timeoutMs: 60_000 },
    );
    await allReady(() => members);
    expect(await pod.emulator.live(members[0]?.label ?? "")).toMatchObject([{ id: "damaged" }]);
  },
  LONGEST_MS,
);
