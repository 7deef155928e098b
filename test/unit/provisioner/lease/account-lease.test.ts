import { expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { createAccountLease } from "../../../../provisioner/lease/account-lease.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeLog, vastError } from "../fakes.ts";
import { LABEL, NOW, state } from "../plan/situation.ts";
import { fakeRedis } from "./fake-redis.ts";

/** A provisioner whose API names the account `api.account`, or fails while it is null. */
function provisioner() {
  const clock = fakeClock(NOW);
  const redis = fakeRedis(clock.now);
  const api = { account: 1 as number | null, reads: 0, named: null as number | null };
  const client = {
    accountId: () => api.named,
    async readAccountId() {
      if (api.named !== null) return api.named;
      api.reads += 1;
      if (api.account === null) throw vastError("unavailable");
      api.named = api.account;
      return api.account;
    },
  };
  const lease = createAccountLease({
    client,
    redis,
    clock,
    log: fakeLog().log,
    label: LABEL,
    token: "a",
    startedAt: null,
    owner: "pod a",
  });
  const held = () => [...redis.entries.keys()];
  return { lease, api, redis, held };
}
const keyOf = (account: number) => fleetKeys(account).lease(LABEL);

test("a first start reads the account, and keeps it in the state", async () => {
  const { lease, held } = provisioner();
  const renewed = await lease.renew(state());
  expect(renewed).toMatchObject({ ownership: { kind: "ours" }, state: { accountId: 1 } });
  expect(held()).toEqual([keyOf(1)]);
});

test("while the account is unknown no lease is taken and nothing may be mutated, however long that lasts", async () => {
  const { lease, api, held } = provisioner();
  api.account = null;
  const renewed = await lease.renew(state());
  expect(renewed.ownership).toEqual({ kind: "unknown", why: expect.stringContaining("it said so"), until: null });
  expect(renewed.state).toEqual(state());
  expect(await lease.mayMutate()).toBe(false);
  await lease.mirror(state(), true);
  await lease.release();
  expect(held()).toEqual([]);
  api.account = 1;
  expect(await lease.renew(state())).toMatchObject({ ownership: { kind: "ours" } });
  expect(await lease.mayMutate()).toBe(true);
});

test("a restart knows the account from its state, whether the API answers or not", async () => {
  const { lease, api, held } = provisioner();
  api.account = null;
  expect(await lease.renew(state({ accountId: 1 }))).toMatchObject({ ownership: { kind: "ours" } });
  expect(api.reads).toBe(0);
  expect(held()).toEqual([keyOf(1)]);
  expect(await lease.mayMutate()).toBe(true);
  expect(api.reads).toBe(1);
});

test("a key of another account stops the mutation, and takes the lease of that account", async () => {
  const { lease, api, held } = provisioner();
  await lease.renew(state({ accountId: 1 }));
  api.account = 2;
  expect(await lease.mayMutate()).toBe(false);
  expect(await lease.renew(state({ accountId: 1 }))).toMatchObject({
    ownership: { kind: "ours" },
    state: { accountId: 2 },
  });
  expect(held()).toEqual([keyOf(2)]);
  expect(await lease.mayMutate()).toBe(true);
});

test("a new key of the same account keeps the lease, also before the API has named its account", async () => {
  const { lease, api, redis, held } = provisioner();
  await lease.renew(state());
  api.named = null;
  await lease.renew(state());
  expect(await lease.mayMutate()).toBe(true);
  expect(held()).toEqual([keyOf(1)]);
  expect(redis.commands).not.toContain("removeMine");
});

test("the copy of the state and the release reach the account's keys", async () => {
  const { lease, held } = provisioner();
  const { state: leased } = await lease.renew(state());
  await lease.mirror({ ...leased, creates: [NOW] }, true);
  expect(held()).toEqual([keyOf(1), fleetKeys(1).pod(LABEL)]);
  await lease.release();
  expect(held()).toEqual([fleetKeys(1).pod(LABEL)]);
});
