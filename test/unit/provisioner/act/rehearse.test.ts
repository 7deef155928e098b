// What happens after the API has refused the end of what serves for the account's sake, as the loop does it.
import { describe, expect, test } from "vitest";
import type { Lease } from "../../../../provisioner/lease/lease.ts";
import { noLease } from "../../../../provisioner/lease/lease.ts";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import { vastError } from "../fakes.ts";
import { fileOf, loop } from "../loop.ts";
import { LABEL, MINUTE, observation, passing, row, SECOND, servingTrack, state, template } from "../plan/situation.ts";

const ID = 7835610;
const REHEARSAL = `label ${ID} ${LABEL}`;
const outdated = observation([row({ image: "example/app:1" })], { probes: new Map([[ID, passing()]]) });
const serving = state({ tracks: { [ID]: servingTrack() } });
type Setup = Parameters<typeof loop>[0];

/** A pod whose key may lack the right to change instances; `writes` are the calls that need it. */
function pod(strategy: "in-place" | "recreate", setup: Setup = {}) {
  const key = { lacksRight: true, ofLabels: true };
  const refuse = () => {
    if (key.lacksRight) throw vastError("auth", { status: 403 });
  };
  const l = loop({
    seen: outdated,
    state: serving,
    file: fileOf(),
    limits: { updateStrategy: strategy },
    update: refuse,
    destroy: refuse,
    writeLabel: () => {
      if (key.ofLabels) refuse();
    },
    ...setup,
  });
  const count = (entry: string) => l.journal.filter((one) => one.startsWith(entry)).length;
  const seconds = async (total: number) => {
    for (let left = total; left > 0; left -= 20) {
      await l.clock.advance(Math.min(left, 20) * SECOND);
      await l.pass();
    }
  };
  return {
    ...l,
    key,
    seconds,
    /** How often nginx' server was taken away. */
    withdrawals: () => {
      const published = l.journal.filter((entry) => entry.startsWith("publish"));
      return published.filter((entry, i) => entry === "publish none" && published[i - 1] !== "publish none").length;
    },
    rehearsals: () => count("label"),
    ends: () => count("update") + count("destroy"),
  };
}

describe.each(["in-place", "recreate"] as const)("a refused end (%s)", (strategy) => {
  test("is not rehearsed before the first refusal", async () => {
    const l = pod(strategy);
    await l.pass();
    expect([l.withdrawals(), l.rehearsals(), l.ends()]).toEqual([1, 0, 1]);
    expect(l.state.state.refusedEnd).toEqual({ rehearsedAt: null, inSpite: 0 });
    expect(l.state.file).toMatchObject({ state: "blocked", server: { port: 41234 } });
  });

  test("costs no second withdrawal while the API refuses the label that the instance has", async () => {
    const l = pod(strategy);
    await l.pass();
    await l.seconds(30 * 60);
    expect([l.withdrawals(), l.ends()]).toEqual([1, 1]);
    expect(new Set(l.journal.filter((entry) => entry.startsWith("label")))).toEqual(new Set([REHEARSAL]));
    expect(l.rehearsals()).toBeGreaterThan(3);
    expect(l.rehearsals()).toBeLessThan(8);
    expect(l.state.file).toMatchObject({ state: "blocked", server: { port: 41234 } });
    expect(l.state.file?.message).toMatch(/give the key the right instance_write/);
    expect(l.state.file?.reason).toBe(strategy === "in-place" ? "update_refused" : "destroy_refused");
  });

  test("is carried out after the wait when the API takes the label, and then nothing is remembered", async () => {
    const l = pod(strategy);
    await l.pass();
    await l.seconds(65);
    expect(l.rehearsals()).toBe(1);
    l.key.lacksRight = false;
    await l.seconds(65);
    expect([l.withdrawals(), l.rehearsals(), l.ends()]).toEqual([2, 2, 2]);
    expect(l.journal.lastIndexOf(REHEARSAL)).toBeLessThan(l.journal.lastIndexOf("publish none"));
    expect(l.state.state.refusedEnd).toBeNull();
  });

  test("that is refused although the label was taken waits 10, 20, 40 and at most 60 min", async () => {
    const l = pod(strategy);
    l.key.ofLabels = false;
    await l.pass();
    const waits: number[] = [];
    let before = l.clock.now();
    while (waits.length < 6) {
      const ends = l.ends();
      await l.seconds(20);
      if (l.ends() === ends) continue;
      waits.push(Math.floor((l.clock.now() - before) / MINUTE));
      before = l.clock.now();
    }
    expect(waits).toEqual([1, 10, 20, 40, 60, 60]);
    expect(l.rehearsals()).toBe(6);
  });

  test.each([
    ["no answer", vastError("unavailable", { status: 502 })],
    ["a call that never reached the API", vastError("unavailable", { status: null, reached: false })],
    ["a call too many", vastError("rate_limited", { status: 429 })],
    ["an account that needs a second factor", vastError("two_factor", { status: 401 })],
  ])("waits while the label meets %s", async (_, failure) => {
    const l = pod(strategy, {
      writeLabel: () => {
        throw failure;
      },
    });
    await l.pass();
    await l.seconds(5 * 60);
    expect([l.withdrawals(), l.ends()]).toEqual([1, 1]);
    expect(l.rehearsals()).toBeGreaterThan(0);
    expect(l.state.file).toMatchObject({ state: "blocked", server: { port: 41234 } });
  });

  test("is tried again where the API refuses the label for itself: that says nothing about the key", async () => {
    const l = pod(strategy, {
      writeLabel: () => {
        throw vastError("invalid");
      },
    });
    await l.pass();
    l.key.lacksRight = false;
    await l.seconds(65);
    expect([l.withdrawals(), l.ends()]).toEqual([2, 2]);
  });

  test("is neither rehearsed nor carried out while another provisioner holds the lease", async () => {
    let isOurs = true;
    const lease: Lease = { ...noLease, mayMutate: async () => isOurs };
    const l = pod(strategy, { lease });
    await l.pass();
    isOurs = false;
    await l.seconds(5 * 60);
    expect([l.withdrawals(), l.rehearsals(), l.ends()]).toEqual([1, 0, 1]);
    expect(l.state.file).toMatchObject({ server: { port: 41234 } });
    expect(l.state.file?.message).toContain("not before the API takes changes again");
  });
});

test("another value is rehearsed at once: the instance is not withdrawn for it", async () => {
  let hash = "0the4";
  const seen = (): Observation =>
    observation([row()], {
      probes: new Map([[ID, passing()]]),
      template: { known: true, value: { ...template, hash } },
    });
  const l = pod("in-place", { seen });
  await l.pass();
  expect([l.withdrawals(), l.rehearsals()]).toEqual([1, 0]);
  hash = "4n0the4";
  await l.seconds(20);
  expect([l.withdrawals(), l.rehearsals(), l.ends()]).toEqual([1, 1, 1]);
  expect(l.state.file).toMatchObject({ reason: "update_refused", server: { port: 41234 } });
  expect(l.state.file?.message).toContain("template hash 4n0the4 is wanted");
});

test("a refused end is remembered over a restart, and rehearsed when the settings want another one", async () => {
  const refused = { ...serving, refusedEnd: { rehearsedAt: null, inSpite: 0 } };
  const l = pod("recreate", { state: refused });
  await l.pass();
  expect([l.withdrawals(), l.rehearsals(), l.ends()]).toEqual([0, 1, 0]);
  l.key.lacksRight = false;
  await l.seconds(40);
  expect([l.withdrawals(), l.rehearsals(), l.ends()]).toEqual([1, 2, 1]);
});

test.each(["rate_limited", "invalid"] as const)("an end that is refused as %s needs no rehearsal", async (kind) => {
  const l = pod("recreate", {
    destroy: () => {
      throw vastError(kind);
    },
  });
  await l.pass();
  expect(l.state.state.refusedEnd).toBeNull();
  await l.seconds(65);
  expect(l.rehearsals()).toBe(0);
  expect(l.ends()).toBeGreaterThan(1);
});
