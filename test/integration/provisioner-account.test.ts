// Problems of the account: nothing is changed, no host is banned, a serving instance keeps serving, and the message says what to do.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
let redis: Redis;
beforeEach(async () => {
  pod = await openPod({ redis: true });
  redis = new Redis(pod.redis?.url ?? "");
});
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

const actions = (provisioner: Child, action: string) =>
  logOf(provisioner).filter((line) => line.event === "action" && line.action === action);

test.each([
  ["revoked key", { keyRevoked: true }, { keyRevoked: false }, "account_auth", /refuses VAST_API_KEY: set a valid key/],
  ["expired session", { sessionExpired: true }, { sessionExpired: false }, "account_auth", /set a valid key/],
  ["two-factor login", { twoFactor: true }, { twoFactor: false }, "account_two_factor", /two-factor.*made for API use/],
])("a %s changes nothing, and what serves goes on serving until it is mended", async (_, begin, end, reason, text) => {
  const provisioner = await pod.provision();
  const ready = await pod.ready();
  const before = (await pod.emulator.mutations()).length;
  await pod.emulator.send("POST", "account", begin);
  // A replacement is due too, and waits: the instance does not have the desired image.
  await pod.emulator.event("any", "image", { image: "other/app:9" });
  const blocked = await pod.until("it is blocked", (f) => f.reason === reason, 30_000);
  expect(blocked).toMatchObject({ state: "blocked", server: ready.server, instance: { id: ready.instance?.id } });
  expect(blocked.message).toMatch(text);
  expect(await pod.emulator.mutations()).toHaveLength(before);
  expect(await redis.keys("ban_*")).toEqual([]);
  await pod.emulator.event("any", "image", { image: "example/app:2" });
  await pod.emulator.send("POST", "account", end);
  const again = await pod.until("it is mended", (f) => f.reason === "instance_ready", 30_000);
  expect(again.instance?.id).toBe(ready.instance?.id);
  expect(actions(provisioner, "destroy")).toEqual([]);
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test.each([
  ["without credit", { credit: 0 }, { credit: 100 }, "account_no_credit", /has no credit: add credit/],
  [
    "without a payment method",
    { credit: 0, missingBilling: true },
    { credit: 100, missingBilling: false },
    "account_no_credit",
    /has no credit/,
  ],
  [
    "at its spend limit",
    { spendLimited: true },
    { spendLimited: false },
    "account_spend_limit",
    /spend limit is reached/,
  ],
])(
  "an account %s creates nothing, blames no host and no offer, and goes on when it is mended",
  async (_, begin, end, reason, text) => {
    await pod.emulator.send("POST", "account", begin);
    const provisioner = await pod.provision();
    const blocked = await pod.until("it is blocked", (f) => f.reason === reason, 30_000);
    expect(blocked).toMatchObject({ state: "blocked", server: null });
    expect(blocked.message).toMatch(text);
    expect(await pod.state()).toMatchObject({ creates: [], avoided: [], goneOffers: [], intent: null });
    expect(await redis.keys("ban_*")).toEqual([]);
    expect(actions(provisioner, "ban")).toEqual([]);
    await pod.emulator.send("POST", "account", end);
    await pod.ready(60_000);
    expect((await pod.emulator.state()).instances).toHaveLength(1);
  },
);

test("an instance that was stopped for lack of credit is kept, and its grace period starts when there is credit again", async () => {
  const provisioner = await pod.provision();
  const { instance } = await pod.ready();
  await pod.emulator.send("POST", "account", { credit: 0 });
  const blocked = await pod.until("it is blocked", (f) => f.reason === "account_no_credit", 30_000);
  expect(blocked).toMatchObject({ state: "blocked", server: null, instance: { id: instance?.id } });
  expect(blocked.message).toMatch(/has no credit: add credit.*still bills its disk/);
  expect(actions(provisioner, "destroy")).toEqual([]);
  await pod.emulator.send("POST", "account", { credit: 100 });
  await pod.until("it has its grace again", (f) => f.reason === "instance_lost", 30_000);
  expect((await pod.emulator.live(pod.label)).map(({ id }) => id)).toEqual([instance?.id]);
  expect(await redis.keys("ban_*")).toEqual([]);
});

test("an account that pays later, whose balance and credit are both 0, is not taken for one without credit", async () => {
  const rule = { method: "GET", path: "^/api/v0/users/current/", times: 0 };
  await pod.emulator.send("POST", "faults", { ...rule, effect: { kind: "rewrite", set: { balance: 0, credit: 0 } } });
  const provisioner = await pod.provision();
  const { instance } = await pod.ready();
  // The account is asked before a serving instance is given up, and while one is stopped.
  await pod.emulator.event("any", "image", { image: "other/app:9" });
  const { instance: next } = await pod.until(
    "it is replaced",
    (f) => f.reason === "instance_ready" && f.instance?.id !== instance?.id,
    60_000,
  );
  await pod.emulator.event("any", "stop");
  await pod.until("it is replaced", (f) => f.reason === "instance_ready" && f.instance?.id !== next?.id, 60_000);
  expect((await pod.emulator.requests()).some((one) => one.path.startsWith("/api/v0/users/current/"))).toBe(true);
  expect(logOf(provisioner).filter((line) => line.reason === "account_no_credit")).toEqual([]);
});
