// A pod on a new volume, while the list is unknown: it serves what its predecessor served, as long as that is certainly the same server.
import { describe, expect, test } from "vitest";
import type { Lease } from "../../../provisioner/lease/lease.ts";
import type { LeftServer } from "../../../provisioner/lease/mirror.ts";
import { serverToLeave, startState } from "../../../provisioner/loop-state.ts";
import type { Limits } from "../../../provisioner/model/desired.ts";
import type { Observation } from "../../../provisioner/model/observation.ts";
import type { Ownership } from "../../../provisioner/model/ownership.ts";
import type { State } from "../../../provisioner/state/schema.ts";
import { fileOf, loop } from "./loop.ts";
import {
  failing,
  HOUR,
  MINUTE,
  NOW,
  observation,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  state,
  tracks,
  unknown,
} from "./plan/situation.ts";

const ID = 7835610;
const OURS: Ownership = { kind: "ours", doubt: null };
const { server, instance } = published();
if (server === null || instance === null) throw new Error("the fixture serves nothing");
const LEFT: LeftServer = { server, instance, servedAt: NOW - MINUTE, listedAt: NOW - MINUTE };

interface Setup {
  left?: Partial<LeftServer>;
  state?: Partial<State>;
  limits?: Partial<Limits>;
  seen?: Observation | (() => Observation);
  /** Of each pass; the last one stays. */
  owners?: Ownership[];
}

/** A loop whose first renewal of the lease brings `left`. */
function pod({ left = {}, owners = [OURS], seen = refused(), ...setup }: Setup = {}) {
  let renewals = 0;
  const lease: Lease = {
    renew: async (before) => {
      const ownership = owners[Math.min(renewals, owners.length - 1)] ?? OURS;
      renewals += 1;
      return { ownership, state: before, left: renewals === 1 ? { ...LEFT, ...left } : null };
    },
    mayMutate: async () => true,
    mirror: async () => undefined,
    release: async () => undefined,
  };
  const l = loop({ seen, lease, state: state(setup.state), limits: { httpProbe: false, ...setup.limits } });
  const passAfter = async (ms: number) => {
    await l.clock.advance(ms);
    await l.pass();
    return l.state.file?.server ?? null;
  };
  return { ...l, passAfter };
}

/** The API refuses the list, and the probe of the server has this result. */
const refused = (probe = passing()): Observation => ({
  ...observation([], { list: unknown("no", "auth") }),
  publishedProbe: { instanceId: ID, probe },
});

describe("the server of a predecessor, while the list is unknown", () => {
  test("is served when its probe passes, and nothing is changed", async () => {
    const l = pod();
    expect(await l.passAfter(0)).toEqual(server);
    expect(l.state.plan).toMatchObject({ reason: "account_auth", instance: { id: ID }, actions: [] });
    expect(l.journal.join()).not.toMatch(/create|destroy/);
  });

  test("is not served while its probe fails, and is served once it passes", async () => {
    let probe = failing();
    const l = pod({ seen: () => refused(probe) });
    expect(await l.passAfter(0)).toBeNull();
    probe = passing();
    expect(await l.passAfter(5 * SECOND)).toEqual(server);
  });

  test.each<[string, Setup]>([
    ["it served two minutes ago", { left: { servedAt: NOW - 121 * SECOND } }],
    ["its clock is two minutes ahead of ours", { left: { servedAt: NOW + 121 * SECOND } }],
    [
      "it served ten minutes ago, and an HTTP probe proves more",
      { left: { servedAt: NOW - 601 * SECOND }, limits: { httpProbe: true } },
    ],
    ["the list did not show it for as long as an open port counts", { left: { listedAt: NOW - 2 * HOUR } }],
    ["another image is wanted", { left: { instance: { ...instance, image: "example/app:1" } } }],
    [
      "the content of the template has changed",
      {
        left: { instance: { ...instance, templateHash: "old" } },
        state: {
          template: {
            id: 1,
            hash: "new",
            name: "demo",
            creatorId: 9,
            diskSpace: 32,
            publishedPorts: 1,
            seenAt: NOW,
            readAt: NOW,
          },
        },
      },
    ],
    ["another provisioner holds the lease", { owners: [{ kind: "other", owner: "b", until: null }] }],
    ["it is unknown who holds the lease", { owners: [{ kind: "unknown", why: "", until: null }] }],
  ])("is not served where %s", async (_, setup) => {
    expect(await pod(setup).passAfter(0)).toBeNull();
  });

  test("with an HTTP probe may have served ten minutes ago", async () => {
    const setup = { left: { servedAt: NOW - 599 * SECOND }, limits: { httpProbe: true } };
    expect(await pod(setup).passAfter(0)).toEqual(server);
  });

  test("is tried no longer than that: its port may belong to somebody else by then", async () => {
    let probe = failing();
    const l = pod({ seen: () => refused(probe) });
    await l.passAfter(0);
    probe = passing();
    expect(await l.passAfter(61 * SECOND)).toBeNull();
  });

  test("is not tried any more when another provisioner takes the lease before it has answered", async () => {
    let probe = failing();
    const other: Ownership = { kind: "other", owner: "b", until: null };
    const l = pod({ seen: () => refused(probe), owners: [OURS, other] });
    await l.passAfter(0);
    probe = passing();
    expect(await l.passAfter(5 * SECOND)).toBeNull();
  });

  test("is served no longer than an open port counts after the last list that showed it", async () => {
    const l = pod({ seen: () => refused(), limits: { unknownMaxMs: 5 * MINUTE } });
    expect(await l.passAfter(0)).toEqual(server);
    expect(await l.passAfter(239 * SECOND)).toEqual(server);
    expect(await l.passAfter(2 * SECOND)).toBeNull();
  });
});

describe("the server of a predecessor, when the list comes", () => {
  test("is kept if the list shows its instance", async () => {
    let seen = refused();
    const l = pod({ seen: () => seen });
    await l.passAfter(0);
    seen = observation([row()], { probes: new Map([[ID, passing()]]) });
    expect(await l.passAfter(5 * SECOND)).toEqual(server);
    expect(l.state).toMatchObject({ expected: null, plan: { reason: "instance_ready" } });
  });

  test("is withdrawn if the list does not show it, and another instance is created only after a second list", async () => {
    let seen = refused();
    const l = pod({ seen: () => seen });
    await l.passAfter(0);
    seen = observation([]);
    expect(await l.passAfter(5 * SECOND)).toBeNull();
    expect(l.state.plan).toMatchObject({ reason: "confirming_none", actions: [] });
  });

  test("in the first pass already counts for nothing", async () => {
    const l = pod({ seen: observation([]) });
    expect(await l.passAfter(0)).toBeNull();
    expect(l.state.expected).toBeNull();
  });
});

describe("what a provisioner leaves to its successor", () => {
  const leftBy = (over: Partial<State>, file = fileOf()) =>
    serverToLeave({ ...startState(state(over), NOW), file }, NOW);

  test("is the server that it publishes and that answers, and since when the list does not show it any more", () => {
    expect(leftBy({ tracks: tracks(ID, servingTrack()) })).toEqual({ ...LEFT, servedAt: NOW, listedAt: NOW });
    const long = { tracks: tracks(ID, servingTrack()), listUnknownSince: NOW - HOUR };
    expect(leftBy(long)).toMatchObject({ servedAt: NOW, listedAt: NOW - HOUR });
  });

  test("is nothing where nothing is published, or what is published does not answer", () => {
    expect(leftBy({ tracks: tracks(ID, servingTrack()) }, fileOf({ server: null }))).toBeNull();
    expect(leftBy({ tracks: tracks(ID, silentTrack(MINUTE)) })).toBeNull();
    expect(leftBy({})).toBeNull();
  });
});
