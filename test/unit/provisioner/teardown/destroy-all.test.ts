import { describe, expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { createLease, type Lease, noLease } from "../../../../provisioner/lease/lease.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { type DestroyOutcome, destroyAll, type ProvisionerRuns } from "../../../../provisioner/teardown/destroy-all.ts";
import { ownEndCalls } from "../../../../provisioner/teardown/end-calls.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { ACCOUNT_ID, fakeClient, fakeDisk, fakeLog, type Journal, vastError } from "../fakes.ts";
import { EVERY_COMMAND, type FakeRedis, fakeRedis } from "../lease/fake-redis.ts";
import { LABEL, NOW, row, SECOND, state } from "../plan/situation.ts";

interface Setup {
  /** What the list shows, by its number from 1 on; may throw. */
  lists: (n: number) => readonly Instance[];
  confirmed?: boolean;
  provisionerRuns?: ProvisionerRuns;
  state?: State | null;
  destroy?: (id: number) => void;
  lease?: Lease;
  onQuestion?: () => void;
  diskFull?: boolean;
  /** At the end of a pod. */
  adoptsAll?: boolean;
}

const LIMIT = 180 * SECOND;

async function run(setup: Setup) {
  const journal: Journal = [];
  const printed: string[] = [];
  const questions: string[] = [];
  const clock = fakeClock(NOW);
  const { log, lines } = fakeLog();
  const disk = fakeDisk(journal);
  disk.full = setup.diskFull ?? false;
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
    calls: ownEndCalls(client, LABEL),
    clock,
    log,
    label: LABEL,
    timeLeftMs: () => NOW + LIMIT - clock.monotonic(),
    adoptsAll: setup.adoptsAll ?? false,
    load: async () => setup.state ?? null,
    save: disk.save,
    lease: setup.lease ?? noLease,
    provisionerRuns: async () => setup.provisionerRuns ?? "no",
    confirm: async (question) => {
      questions.push(question);
      setup.onQuestion?.();
      return setup.confirmed ?? true;
    },
    print: (text) => void printed.push(text),
  });
  const outcome: DestroyOutcome = await clock.drive(work);
  const destroys = journal.filter((entry) => entry.startsWith("destroy"));
  const { problem, ...rest } = outcome;
  const ms = clock.now() - NOW;
  return { outcome: rest, problem, journal, destroys, printed: printed.join("\n"), questions, disk, lines, ms };
}
const a = row({ id: 1 });
const b = row({ id: 2 });

describe("vast-provisioner destroy", () => {
  test("says so when there is nothing to destroy", async () => {
    const { outcome, printed, questions } = await run({ lists: () => [] });
    expect(outcome).toEqual({ done: true, gone: [], left: [] });
    expect(printed).toContain("nothing is being billed");
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

  test("destroys a contract that no list shows yet, and counts it as gone when the API has accepted that", async () => {
    const { outcome, destroys, printed, disk, ms } = await run({
      lists: () => [],
      state: state({ intent: intent(42) }),
    });
    expect(outcome).toEqual({ done: true, gone: [42], left: [] });
    expect(destroys).toEqual(["destroy 42"]);
    expect(ms).toBe(2 * SECOND);
    expect(printed).toContain("Destroyed and verified: 42");
    expect(disk.saved.at(-1)).toMatchObject({ intent: null, pendingDeletes: [] });
  });

  test("counts a contract that the API does not know as gone only once its row had time to appear", async () => {
    const { outcome, destroys, ms } = await run({
      lists: () => [],
      state: state({ intent: intent(42) }),
      destroy: () => {
        throw vastError("not_found", { status: 404 });
      },
    });
    expect(outcome).toEqual({ done: true, gone: [42], left: [] });
    expect(destroys).toEqual(["destroy 42", "destroy 42"]);
    expect(ms).toBe(110 * SECOND);
  });

  test("destroys what a failed create left, and names what it could not destroy", async () => {
    const pendingDeletes = [
      { id: 42, reason: "create_failed", since: NOW - 10 * 60 * SECOND, deleteSentAt: NOW - 60 * SECOND },
    ];
    const known = state({ pendingDeletes });
    expect((await run({ lists: () => [], state: known })).outcome).toEqual({ done: true, gone: [42], left: [] });
    const refused = () => {
      throw vastError("rate_limited");
    };
    const { outcome, problem } = await run({ lists: () => [], state: known, destroy: refused });
    expect(outcome).toEqual({ done: false, gone: [], left: [42] });
    expect(problem).toContain("Not verified as destroyed after 180 s, and may still be billed: instance 42");
  });

  test("looks for the instance of a create with an unknown outcome, destroys it, and forgets the create", async () => {
    const { outcome, destroys, questions, disk, ms } = await run({
      lists: (n) => (n > 20 && n < 23 ? [a] : []),
      state: state({ intent: intent(null) }),
    });
    expect(questions[0]).toContain("the instance of a create with an unknown outcome");
    expect(destroys).toEqual(["destroy 1"]);
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(disk.saved.at(-1)).toMatchObject({ intent: null, pendingDeletes: [] });
    expect(ms).toBeLessThan(60 * SECOND);
  });

  test("forgets a create with an unknown outcome when no instance has appeared within its deadline", async () => {
    const { outcome, disk, ms } = await run({ lists: () => [], state: state({ intent: intent(null) }) });
    expect(outcome).toEqual({ done: true, gone: [], left: [] });
    expect(disk.saved.at(-1)?.intent).toBeNull();
    expect(ms).toBe(110 * SECOND);
    const old = state({ intent: intent(null, 120 * SECOND) });
    expect((await run({ lists: () => [], state: old })).ms).toBe(0);
  });

  test("does not say that nothing is being billed while the outcome of a create is unknown", async () => {
    const failing = (n: number) => {
      if (n > 1) throw vastError("unavailable", { status: 502 });
      return [];
    };
    const { outcome, problem } = await run({ lists: failing, state: state({ intent: intent(null) }) });
    expect(outcome).toEqual({ done: false, gone: [], left: [] });
    expect(problem).toMatch(/may still be billed: the instance of a create with an unknown outcome/);
  });

  test("asks first, and names what it would destroy and its price", async () => {
    const { questions } = await run({ lists: (n) => (n === 1 ? [a] : []) });
    expect(questions).toEqual([
      `Destroy instance 1 (RTX 4090, $0.316/h) with the label ${LABEL}? All data on it will be lost.`,
    ]);
  });

  test("changes nothing after a no, and says what is still being billed", async () => {
    const { outcome, journal, problem } = await run({ lists: () => [a], confirmed: false });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(journal).toEqual(["list"]);
    expect(problem).toBe("Nothing was destroyed; this may still be billed: instance 1 (RTX 4090, $0.316/h).");
  });

  test("saves each pending delete, destroys the instance, and verifies with a list that it is gone", async () => {
    const { outcome, journal, printed, disk } = await run({ lists: (n) => (n === 1 ? [a, b] : []) });
    expect(journal).toEqual(["list", "save", "destroy 1", "save", "save", "destroy 2", "save", "list", "save"]);
    expect(outcome).toEqual({ done: true, gone: [1, 2], left: [] });
    expect(printed).toContain("Destroyed and verified: 1, 2");
    expect(disk.saved.at(-1)?.pendingDeletes).toEqual([]);
  });

  test("keeps the rest of the provisioner's state", async () => {
    const before = state({ creates: [NOW], generation: 7 });
    const { disk } = await run({ lists: (n) => (n === 1 ? [a] : []), state: before });
    expect(disk.saved.at(-1)).toMatchObject({ creates: [NOW], generation: 7, backoff: null, notListening: null });
  });

  test("sends the destroy again after a minute while the instance is listed", async () => {
    const { destroys, outcome } = await run({ lists: (n) => (n < 40 ? [a] : []) });
    expect(destroys).toEqual(["destroy 1", "destroy 1"]);
    expect(outcome.done).toBe(true);
  });

  test("names what is left, its price and the remedy when the time is over", async () => {
    const { outcome, problem, ms } = await run({ lists: () => [a] });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(problem).toMatch(
      /after 180 s, and may still be billed: instance 1 \(RTX 4090, \$0.316\/h\)\. Destroy it with: vast-provisioner destroy/,
    );
    expect(ms).toBe(180 * SECOND);
  });

  test("does not count a failed list as proof", async () => {
    const { outcome } = await run({
      lists: (n) => {
        if (n === 1) return [a];
        throw vastError("unavailable", { status: 502 });
      },
    });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
  });

  test("asks a failed list again, and says once why", async () => {
    const { outcome, destroys, printed } = await run({
      lists: (n) => {
        if (n < 5 || n === 6) throw vastError("unavailable", { status: 502 });
        return n === 5 ? [a] : [];
      },
    });
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(destroys).toEqual(["destroy 1"]);
    expect(printed.match(/The instance list is unknown/g)).toHaveLength(2); // before the question and after it
  });

  test("destroys nothing without a list, and names what was seen last when the time is over", async () => {
    const { outcome, problem, destroys, questions, ms } = await run({
      lists: () => {
        throw vastError("unavailable", { status: 502 });
      },
      state: state({ intent: intent(42) }),
    });
    expect(outcome).toEqual({ done: false, gone: [], left: [42] });
    expect([destroys, questions]).toEqual([[], []]);
    expect(problem).toMatch(/the instance list is unknown; last seen: instance 42; check instances labelled/);
    expect(ms).toBe(LIMIT);
  });

  test.each([
    ["rate_limited", 429],
    ["auth", 403],
    ["unavailable", 503],
    ["invalid", 400],
  ] as const)("sends a destroy again at once that the API refused: %s", async (kind, status) => {
    let refusals = 3;
    let gone = false;
    const { outcome, destroys, ms } = await run({
      lists: () => (gone ? [] : [a]),
      destroy: () => {
        refusals -= 1;
        if (refusals >= 0) throw vastError(kind, { status });
        gone = true;
      },
    });
    expect(outcome.done).toBe(true);
    expect(destroys).toHaveLength(4);
    expect(ms).toBe(8 * SECOND);
  });

  test("a full state volume prevents nothing, and is said once", async () => {
    const { outcome, destroys, lines } = await run({
      lists: (n) => (n === 1 ? [a, b] : []),
      state: state(),
      diskFull: true,
    });
    expect(outcome).toEqual({ done: true, gone: [1, 2], left: [] });
    expect(destroys).toEqual(["destroy 1", "destroy 2"]);
    expect(lines.filter(({ event }) => event === "disk")).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(/ENOSPC.*destroyed all the same/) }),
    ]);
  });

  test("waits for the lists when the API does not know a listed instance", async () => {
    const { outcome, destroys } = await run({
      lists: (n) => (n < 10 ? [a] : []),
      destroy: () => {
        throw vastError("not_found", { status: 404 });
      },
    });
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(destroys).toEqual(["destroy 1"]);
  });

  test("leaves instances alone that appear after the question, and names them", async () => {
    const { outcome, destroys, printed } = await run({ lists: (n) => (n < 40 ? (n === 1 ? [a] : [a, b]) : [b]) });
    expect(destroys).not.toContain("destroy 2");
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(printed).toContain("left alone: instance 2");
  });

  test("leaves the file of a running provisioner alone, and warns that it will create another", async () => {
    const { printed, outcome, journal } = await run({ lists: (n) => (n === 1 ? [a] : []), provisionerRuns: "yes" });
    expect(printed).toContain("A provisioner for this pod is running and will create another instance: stop it first");
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(journal).toEqual(["list", "destroy 1", "list"]);
  });

  test("takes what does not answer on its port for no proof that none is running: warns, and leaves its file alone", async () => {
    const lists = (n: number) => (n === 1 ? [a] : []);
    const { printed, outcome, journal } = await run({ lists, provisionerRuns: "unknown" });
    expect(printed).toContain("If it is a provisioner, it will create another instance: stop it first");
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(journal).toEqual(["list", "destroy 1", "list"]);
  });
});

describe("vast-provisioner destroy with Redis", () => {
  const keys = fleetKeys(ACCOUNT_ID);
  const [KEY, MIRROR] = [keys.lease(LABEL), keys.pod(LABEL)];
  const redisAt = () => fakeRedis(() => NOW);
  /** The lease of a process whose clock stands still, so that only a test expires it. */
  const leaseOf = (redis: FakeRedis, token: string) =>
    createLease({
      redis,
      clock: fakeClock(NOW),
      log: fakeLog().log,
      keys,
      label: LABEL,
      token,
      owner: `${token} (pid 1)`,
      startedAt: null,
    });
  const listed = (n: number) => (n === 1 ? [a] : []);

  test("refuses while a provisioner holds the label, names it, and does not ask", async () => {
    const redis = redisAt();
    await leaseOf(redis, "vast-pod-0").renew(state());
    const { outcome, journal, problem, questions } = await run({ lists: listed, lease: leaseOf(redis, "command") });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(journal).toEqual(["list"]);
    expect(questions).toEqual([]);
    expect(problem).toMatch(/vast-pod-0 \(pid 1\): stop it or set VAST_POLICY=observe/);
    expect(redis.entries.get(KEY)?.value).toBe("vast-pod-0 vast-pod-0 (pid 1)");
  });

  test("refuses also when a busy Redis names the provisioner only after some questions", async () => {
    const redis = redisAt();
    await leaseOf(redis, "vast-pod-0").renew(state());
    const lease = leaseOf(redis, "command");
    let asked = 0;
    const { journal, problem } = await run({
      lists: listed,
      lease: {
        ...lease,
        async renew(...of) {
          asked += 1;
          redis.failing = { commands: asked < 4 ? EVERY_COMMAND : [], message: "Command timed out" };
          return lease.renew(...of);
        },
      },
    });
    expect(journal).toEqual(["list"]);
    expect(problem).toMatch(/vast-pod-0 \(pid 1\): stop it/);
  });

  test("at the end of a pod waits for the lease of a predecessor that was killed, then destroys", async () => {
    const redis = redisAt();
    await leaseOf(redis, "killed").renew(state());
    const lease = leaseOf(redis, "ending");
    let asked = 0;
    const { outcome, destroys, printed, ms } = await run({
      lists: listed,
      adoptsAll: true,
      lease: {
        ...lease,
        async renew(...of) {
          asked += 1;
          if (asked === 40) redis.entries.delete(KEY); // it expires
          return lease.renew(...of);
        },
      },
    });
    expect(outcome).toEqual({ done: true, gone: [1], left: [] });
    expect(destroys).toEqual(["destroy 1"]);
    expect(printed.match(/held by the provisioner killed .+ Waiting for that\./g)).toHaveLength(1);
    expect(ms).toBeGreaterThanOrEqual(39 * SECOND);
  });

  test("at the end of a pod gives in to a provisioner that goes on renewing the lease, and says what is left", async () => {
    const redis = redisAt();
    await leaseOf(redis, "running").renew(state());
    const { outcome, problem, ms } = await run({ lists: listed, adoptsAll: true, lease: leaseOf(redis, "ending") });
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(problem).toMatch(/held by the provisioner running .+ may still be billed: instance 1/);
    expect(ms).toBeGreaterThan(60 * SECOND);
    expect(ms).toBeLessThan(63 * SECOND);
  });

  test("holds the lease while it works, copies its pending deletes to Redis, and releases the lease", async () => {
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

  test("releases the lease after a no", async () => {
    const redis = redisAt();
    await run({ lists: listed, lease: leaseOf(redis, "command"), confirmed: false });
    expect(redis.entries.has(KEY)).toBe(false);
  });

  test("destroys nothing when a provisioner took the lease before the answer", async () => {
    const redis = redisAt();
    const { outcome, destroys, printed } = await run({
      lists: () => [a],
      lease: leaseOf(redis, "command"),
      onQuestion: () => void redis.entries.set(KEY, { value: "t vast-pod-0 (pid 1)", until: NOW + 60 * SECOND }),
    });
    expect(destroys).toEqual([]);
    expect(outcome).toEqual({ done: false, gone: [], left: [1] });
    expect(printed).toContain("is held by the provisioner vast-pod-0 (pid 1)");
  });

  test("continues while Redis is down, and warns that a provisioner may be running", async () => {
    const redis = redisAt();
    redis.failing = { commands: EVERY_COMMAND, message: "Command timed out" };
    const { outcome, printed } = await run({ lists: listed, lease: leaseOf(redis, "command") });
    expect(outcome.done).toBe(true);
    expect(printed).toContain("(Redis is unreachable): make sure that none is running");
  });
});
