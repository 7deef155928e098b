import { expect, test } from "vitest";
import { shareAccountId } from "../../../../provisioner/fleet/account-id.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { NOW } from "../plan/situation.ts";

/** A pod whose API key belongs to account 7 or, after a rotation, to account 8. */
function podOf(redis: ReturnType<typeof sharedRedis>, token: string, reads: string[]) {
  const clock = fakeClock(NOW);
  let key = "key-a";
  let account: { id: number; key: string } | null = null;
  const accountId = () => (account?.key === key ? account.id : null);
  const shared = shareAccountId({
    clock,
    fleet: { redis: redis.connect(clock.sleep), keys: () => null, token },
    apiKey: () => key,
    client: {
      accountId,
      readAccountId: async () => {
        reads.push(`${token} ${key}`);
        return key === "key-a" ? 7 : 8;
      },
      rememberAccountId: (id, itsKey) => {
        account = { id, key: itsKey };
      },
    },
  });
  const rotate = () => {
    key = "key-b";
  };
  return { shared, rotate };
}

test("the account of a key is read by one pod for all that start", async () => {
  const redis = sharedRedis(() => NOW);
  const reads: string[] = [];
  for (const token of ["one", "two", "three"]) {
    const { shared } = podOf(redis, token, reads);
    expect(shared.accountId()).toBeNull();
    expect(await shared.readAccountId()).toBe(7);
    expect(shared.accountId()).toBe(7);
  }
  expect(reads).toEqual(["one key-a"]);
});

test("the account is known months later, also to a new pod whose key the API refuses by then", async () => {
  let now = NOW;
  const redis = sharedRedis(() => now);
  const reads: string[] = [];
  await podOf(redis, "one", reads).shared.readAccountId();
  now += 90 * 86_400_000;
  expect(await podOf(redis, "two", reads).shared.readAccountId()).toBe(7);
  expect(reads).toHaveLength(1);
});

test("another key is another question, and no key is in Redis", async () => {
  const redis = sharedRedis(() => NOW);
  const reads: string[] = [];
  const { shared, rotate } = podOf(redis, "one", reads);
  await shared.readAccountId();
  rotate();
  expect(shared.accountId()).toBeNull();
  expect(await shared.readAccountId()).toBe(8);
  expect(reads).toEqual(["one key-a", "one key-b"]);
});
