import { describe, expect, test } from "vitest";
import { createLease, type Lease, noLease } from "../../../../provisioner/lease/lease.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { type DestroyOutcome, destroyAll } from "../../../../provisioner/teardown/destroy-all.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeDisk, fakeLog, type Journal, vastError } from "../fakes.ts";
import { EVERY_COMMAND, type FakeRedis, fakeRedis } from "../lease/fake-redis.ts";
import { LABEL, NOW, row, SECOND, state } from "../plan/situation.ts";

interface Setup {
  /** What the list shows, by its number from 1 on; may throw. */
  lists: (n: number) => readonly Instance[];
  confirmed?: boolean;
  provisionerRuns?: boolean;
  state?: State | null;
  destroy?: (id: number) => void;
  lease?: Lease;
  onQuestion?: () => void;
}

async function run(setup: Setup) {
  const journal: Journal = [];
  const said: string[] = [];
  const questions: string[] = [];
  const clock = fakeClock(NOW);
  const disk = fakeDisk(journal);
  let lists = 0;
  const client = fakeClient(journal, {
    rows: () => {
      lists += 1;
      return setup.lists(lists);
    },
    ...(setup.destroy ? { destroy: setup.destroy } : {}),
  });
  const work = destroyAll({
    client,
    clock,
    log: fakeLog().log,
    label: LABEL,
    load: async () => setup.state ?? null,
    save: disk.save,
    lease: setup.lease ?? noLease,
    provisionerRuns: async () => setup.provisionerRuns ?? false,
    confirm: async (question) => {
      questions.push(question);
      setup.onQuestion?.();
      return setup.confirmed ?? true;
    },
    say: (text) => void said.push(text),
  });
  const outcome: DestroyOutcome = await clock.drive(work);
  const destroys = journal.filter((entry) => entry.startsWith("destroy"));
  return { outcome, journal, destroys, said: said.join("\n"), questions, disk, ms: clock.now() - NOW };
}
const a = row({ id: 1 });
const b = row({ id: 2 });

describe("vast-provisioner destroy", () => {
  test("says so when there is nothing to end", async () => {
    const { outcome, said, questions } = await run({ lists: () => [] });
    expect(outcome).toEqual({ done: true, gone: [], left: [] });
    expect(said).toContain("nothing goes on billing");
    expect(questions).toEqual([]);
  });

  const intent = (contract: number | null, age = 10 * SECOND) => ({
    offerId: 1,
    hostId: 2,
    machineId: 3,
    dollarsPerHour: 0.3,
    label: LABEL,
    startedAt: NOW - age,
    contract,
  });

  test("ends a contract that no list shows yet, and believes in its end when its row had time to appear", async () => {
    const { outcome, destroys, said, disk, ms } = await run({
      lists: () => [],
      state: state({ intent: intent(42) }),
    });
    expect(outcome).toEqual({ done: true, gone: [42], left: [] });
    expect(destroys).toEqual(["destroy 42", "destroy 42"]);
    expect(ms).toBe(110 * SECOND);
    expect(said).toContain("seen to be gone: 42");
    expect(disk.saved.at(-1)).toMatchObject({ intent: null, pendingDeletes: [] });
  });

  test("ends what a failed create left, and says what it could not end", async () => {
    const pendingDeletes = [
      { id: 42, reason: "create_failed", since: NOW - 10 * 60 * SECOND, deleteSentAt: NOW - 60 * SECOND },
    ];
    const known = state({ pendingDeletes });
    expect((await run({ lists: () => [], state: known })).outcome).toEqual({ done: true, gone: [42], left: [] });
    const refused = () => {
      throw vastError("rate_limited");
    };
    const { outcome, said } = await run({ lists: () => [], state: known, destroy: refused });
    expect(outcome).toEqual({ done: false, gone: [], left: [42] });
    expect(said).toContain("Not seen to be gone after 180 s: instance 42");
  });

  test("does not say that nothing bills while a create has no answer", async () => {
    const { outcome, said } = await run({ lists: () => [], state: state({ intent: intent(null) }) });
    expect(outcome).toEqual({ done: false, gone: [], left: [] });
    expect(said).toContain("run this again in two minutes");
    const old = state({ intent: intent(null, 120 * SECOND) });
    expect((await run({ lists: () => [], state: old })).outcome.done).toBe(true);
  });

  test("asks first, naming what it would end and its price", async () => {
    const { questions } = await run({ lists: (n) => (n === 1 ? [a] : []) });
    expect(questions).toEqual([`Destroy instance 1 (RTX 4090, $0.316/h) with the label ${LABEL}? Its disk is lost.`]);
  });

  test("changes nothing after a no, and says what goes on billing", async () => {
    const { outcome, journal, said } = await run({ lists: () => [a], confirmed: false });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(journal).toEqual(["list"]);
    expect(said).toContain("goes on billing");
  });

  test("dooms each instance on disk, destroys it, and confirms by a read that it is gone", async () => {
    const { outcome, journal, said, disk } = await run({ lists: (n) => (n === 1 ? [a, b] : []) });
    expect(journal).toEqual(["list", "save", "destroy 1", "save", "save", "destroy 2", "save", "list", "save"]);
    expect(outcome).toEqual({ done: true, gone: [1, 2], left: [] });
    expect(said).toContain("seen to be gone: 1, 2");
    expect(disk.saved.at(-1)?.pendingDeletes).toEqual([]);
  });

  test("keeps what the provisioner remembers", async () => {
    const before = state({ creates: [NOW], generation: 7 });
    const { disk } = await run({ lists: (n) => (n === 1 ? [a] : []), state: before });
    expect(disk.saved.at(-1)).toMatchObject({ creates: [NOW], generation: 7, backoff: null, notListening: null });
  });

  test("asks the API again after a minute while a row is listed", async () => {
    const { destroys, outcome } = await run({ lists: (n) => (n < 40 ? [a] : []) });
    expect(destroys).toEqual(["destroy 1", "destroy 1"]);
    expect(outcome.done).toBe(true);
  });

  test("says after three minutes what is left", async () => {
    const { outcome, said, ms } = await run({ lists: () => [a] });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(said).toMatch(/Not seen to be gone after 180 s: instance 1 .*Run this again/);
    expect(ms).toBe(180 * SECOND);
  });

  test("takes a list that fails for no proof", async () => {
    const { outcome } = await run({
      lists: (n) => {
        if (n === 1) return [a];
        throw vastError("unavailable", { status: 502 });
      },
    });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
  });

  test("does nothing when the first list is not to be had", async () => {
    const failing = run({
      lists: () => {
        throw vastError("unavailable", { status: 502 });
      },
    });
    await expect(failing).rejects.toThrow("HTTP 502");
  });

  test("goes on when a destroy fails: the lists decide", async () => {
    const { outcome } = await run({
      lists: (n) => (n === 1 ? [a] : []),
      destroy: () => {
        throw vastError("not_found", { status: 404 });
      },
    });
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
  });

  test("leaves alone what appears after the question, and says so", async () => {
    const { outcome, destroys, said } = await run({ lists: (n) => (n < 40 ? (n === 1 ? [a] : [a, b]) : [b]) });
    expect(destroys).not.toContain("destroy 2");
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(said).toContain("left alone: instance 2");
  });

  test("leaves the file of a running provisioner alone, and warns that it will create another", async () => {
    const { said, outcome, journal } = await run({ lists: (n) => (n === 1 ? [a] : []), provisionerRuns: true });
    expect(said).toContain("stop it first");
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(journal).toEqual(["list", "destroy 1", "list"]);
  });
});

describe("vast-provisioner destroy with Redis", () => {
  const KEY = `vast_lease_${LABEL}`;
  const MIRROR = `vast_pod_${LABEL}`;
  const redisAt = () => fakeRedis(() => NOW);
  /** The lease of a process; its clock stands still, so that a test ends it by hand. */
  const leaseOf = (redis: FakeRedis, token: string) =>
    createLease({ redis, clock: fakeClock(NOW), log: fakeLog().log, label: LABEL, token, owner: `${token} (pid 1)` });
  const listed = (n: number) => (n === 1 ? [a] : []);

  test("refuses while a provisioner has the label, naming it, and asks nobody", async () => {
    const redis = redisAt();
    await leaseOf(redis, "vast-pod-0").renew(state());
    const { outcome, journal, said, questions } = await run({ lists: listed, lease: leaseOf(redis, "command") });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(journal).toEqual(["list"]);
    expect(questions).toEqual([]);
    expect(said).toMatch(/vast-pod-0 \(pid 1\): stop it or set VAST_POLICY=observe/);
    expect(redis.entries.get(KEY)?.value).toBe("vast-pod-0 vast-pod-0 (pid 1)");
  });

  test("has the label for as long as it works, with its pending deletes in Redis, and gives it back", async () => {
    const redis = redisAt();
    const during: unknown[] = [];
    const { outcome } = await run({
      lists: listed,
      lease: leaseOf(redis, "command"),
      destroy: () => {
        const copy: { pendingDeletes?: unknown } = JSON.parse(redis.entries.get(MIRROR)?.value ?? "{}");
        during.push(redis.entries.get(KEY)?.value, copy.pendingDeletes);
      },
    });
    expect(outcome.done).toBe(true);
    expect(during).toEqual([
      "command command (pid 1)",
      [{ id: 1, reason: "operator", since: NOW, deleteSentAt: null }],
    ]);
    expect(redis.entries.has(KEY)).toBe(false);
  });

  test("gives the label back after a no", async () => {
    const redis = redisAt();
    await run({ lists: listed, lease: leaseOf(redis, "command"), confirmed: false });
    expect(redis.entries.has(KEY)).toBe(false);
  });

  test("destroys nothing when a provisioner took the label while a person thought", async () => {
    const redis = redisAt();
    const { outcome, destroys, said } = await run({
      lists: () => [a],
      lease: leaseOf(redis, "command"),
      onQuestion: () => void redis.entries.set(KEY, { value: "t vast-pod-0 (pid 1)", until: NOW + 60 * SECOND }),
    });
    expect(destroys).toEqual([]);
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(said).toContain("belongs to a provisioner, vast-pod-0 (pid 1)");
  });

  test("goes on while Redis is away, and says that it could not tell", async () => {
    const redis = redisAt();
    redis.failing = { commands: EVERY_COMMAND, message: "Command timed out" };
    const { outcome, said } = await run({ lists: listed, lease: leaseOf(redis, "command") });
    expect(outcome.done).toBe(true);
    expect(said).toContain("(Redis is unreachable): make sure that none runs");
  });
});
