// The update in place as the loop makes it: what is written, sent, published and tried again.
import { describe, expect, test } from "vitest";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import { OURS } from "../../../../provisioner/model/ownership.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { vastError } from "../fakes.ts";
import { fileOf, loop } from "../loop.ts";
import { HASH, MINUTE, NOW, observation, passing, row, SECOND, servingTrack, state } from "../plan/situation.ts";

const ID = 7835610;
const old = row({ image: "example/app:1" });
const serving = state({ tracks: { [ID]: servingTrack() } });
const inPlace = { limits: { updateStrategy: "in-place" }, state: serving, file: fileOf() } as const;
const calls = (journal: readonly string[]) => journal.filter((entry) => !["save", "credit", "search"].includes(entry));
const changes = (journal: readonly string[]) =>
  journal.filter((entry) => /^(update|recycle|destroy|create) /.test(entry));
type Setup = Parameters<typeof loop>[0];

/** A pod whose instance shows the new image as soon as it was recycled, unless `shows` is false. */
function pod(setup: Setup = {}, shows = true) {
  let isNew = false;
  const seen = (): Observation => {
    const current = isNew && shows ? row() : old;
    return observation([current], { probes: new Map([[ID, passing()]]) });
  };
  return loop({
    ...inPlace,
    seen,
    ...setup,
    recycle: (id) => {
      setup.recycle?.(id);
      isNew = true;
    },
  });
}

/** The first look after a while decides nothing. */
async function passAfter(l: ReturnType<typeof loop>, ms: number) {
  for (const wait of [ms, 2 * SECOND]) {
    await l.clock.advance(wait);
    await l.pass();
  }
}

async function passesFor(l: ReturnType<typeof loop>, ms: number) {
  const end = l.clock.now() + ms;
  while (l.clock.now() < end) {
    await l.clock.advance(10 * SECOND);
    await l.pass();
  }
}

describe("an update in place", () => {
  test("withdraws the server, drains, has the intent on disk, and then sends both calls", async () => {
    const l = pod();
    await l.pass();
    const order = ["publish none", "ask reloader", `update ${ID}`, `recycle ${ID}`];
    expect(
      calls(l.journal)
        .filter((entry) => order.includes(entry))
        .slice(0, 4),
    ).toEqual(order);
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`]);
    expect(l.clock.now() - NOW).toBe(10 * SECOND);
    const before = l.journal.slice(0, l.journal.indexOf(`update ${ID}`)).filter((entry) => entry === "save").length;
    expect(l.disk.saved[before - 1]?.updating).toMatchObject({ instanceId: ID, sentAt: null, recycledAt: null });
    expect(l.disk.saved.at(-1)?.updating).toMatchObject({ recycledAt: NOW + 10 * SECOND, failed: null });
    expect(l.updates).toEqual([{ id: ID, image: "example/app:2", templateHash: HASH }]);
    expect(l.state.file).toMatchObject({ server: null, reason: "updating", state: "provisioning" });
  });

  test("sends the registry's login and a larger disk", async () => {
    const template = { id: 1, hash: HASH, name: "demo", creatorId: 9, diskSpace: 64, publishedPorts: 1 };
    const seen = observation([old], { template: { known: true, value: template } });
    const l = pod({ seen, imageLogin: "-u a -p b host" });
    await l.pass();
    expect(l.updates).toMatchObject([{ imageLogin: "-u a -p b host", diskSpace: 64 }]);
  });

  test("is over when a list shows the change and a later probe passes: the same instance is published again", async () => {
    const l = pod();
    await l.pass();
    await l.clock.advance(10 * SECOND);
    await l.pass();
    expect(l.state.file).toMatchObject({ reason: "instance_ready", server: { port: 41234 }, instance: { id: ID } });
    expect(l.state.state.updating).toBeNull();
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`]);
  });

  test.each<[string, Setup]>([
    [
      "the new template",
      {
        update: () => {
          throw vastError("invalid");
        },
      },
    ],
    [
      "the recycle, as of an instance that does not run",
      {
        recycle: () => {
          throw vastError("invalid", { status: 200, slug: "invalid_id" });
        },
      },
    ],
  ])(
    "is given up where the API refuses %s: the instance is served again, and replaced after a check",
    async (_, refusal) => {
      const l = pod(refusal);
      await l.pass();
      expect(l.state.state.updating?.failed).toContain("the API refuses it");
      expect(l.state.file).toMatchObject({ server: { port: 41234 } });
      await l.pass();
      expect(changes(l.journal).at(-1)).toBe(`destroy ${ID}`);
      expect(l.journal.lastIndexOf("search")).toBeLessThan(l.journal.indexOf(`destroy ${ID}`));
      expect(changes(l.journal).filter((entry) => entry === `update ${ID}`)).toHaveLength(1);
    },
  );

  test("that was given up costs nothing while no other instance can be created: the old container serves on", async () => {
    const l = pod({
      update: () => {
        throw vastError("invalid");
      },
      offers: () => [],
    });
    await l.pass();
    await l.pass();
    expect(changes(l.journal)).toEqual([`update ${ID}`]);
    expect(l.state.file).toMatchObject({ state: "blocked", reason: "no_offer", server: { port: 41234 } });
  });

  test.each(["auth", "no_credit", "rate_limited"] as const)(
    "waits where the API refuses it because of %s, and the old container serves on",
    async (kind) => {
      const l = pod({
        update: () => {
          throw vastError(kind);
        },
      });
      await l.pass();
      expect(l.state.state).toMatchObject({
        updating: null,
        heldReplacement: { reason: "update_refused", failures: 1 },
      });
      expect(l.state.file).toMatchObject({ state: "blocked", reason: "update_refused", server: { port: 41234 } });
      await l.pass();
      expect(changes(l.journal).filter((entry) => entry.startsWith("destroy"))).toEqual([]);
      await passAfter(l, MINUTE);
      expect(l.state.state.heldReplacement?.failures).toBe(2);
    },
  );

  test("sends each call three times at most where it came too soon after another one", async () => {
    let refusals = 2;
    const l = pod({
      recycle: () => {
        refusals -= 1;
        if (refusals >= 0) throw vastError("rate_limited");
      },
    });
    await l.pass();
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`, `recycle ${ID}`, `recycle ${ID}`]);
    expect(l.state.state.updating?.recycledAt).not.toBeNull();
  });

  test("whose recycle was not answered is decided by the list: it may have taken place", async () => {
    const l = pod(
      {
        recycle: () => {
          throw vastError("unavailable", { status: 502 });
        },
      },
      false,
    );
    await l.pass();
    expect(l.state.state.updating).toMatchObject({ failed: null });
    expect(l.state.state.updating?.recycledAt).not.toBeNull();
    expect(l.state.file).toMatchObject({ server: null, reason: "updating" });
    await passAfter(l, 120 * SECOND);
    expect(l.state.state.updating?.failed).toContain("the list still shows image example/app:1");
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`, `destroy ${ID}`]);
  });

  test("that is never answered is given up with the third attempt", async () => {
    const l = pod({
      update: () => {
        throw vastError("unavailable", { status: 502 });
      },
    });
    await l.pass();
    expect(l.state.state.updating).toMatchObject({ failed: null, recycledAt: null });
    expect(l.state.file).toMatchObject({ reason: "update_refused", server: { port: 41234 } });
    for (const minutes of [1, 2]) {
      await passAfter(l, minutes * MINUTE);
    }
    expect(changes(l.journal)).toEqual([`update ${ID}`, `update ${ID}`, `update ${ID}`]);
    expect(l.state.state.updating?.failed).toContain("does not answer");
  });

  test("goes on after a crash between its calls, whatever the row shows by then", async () => {
    const updating: State["updating"] = {
      instanceId: ID,
      wanted: "image example/app:2",
      image: "example/app:2",
      templateHash: HASH,
      startedAt: NOW,
      sentAt: null,
      recycledAt: null,
      failed: null,
      before: null,
      statusBefore: "",
      undo: null,
    };
    const l = loop({ ...inPlace, state: { ...serving, updating }, seen: observation([row()]) });
    await l.pass();
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`]);
  });

  test("sends nothing while the state file cannot be written, and forgets it", async () => {
    const l = pod();
    l.disk.full = true;
    await l.pass();
    expect(changes(l.journal)).toEqual([]);
    expect(l.state.state.updating).toBeNull();
    expect(l.state.served).not.toBeNull();
  });

  test("sends nothing without the label's lease", async () => {
    const lease = {
      renew: async (s: State) => ({ state: s, ownership: OURS }),
      mayMutate: async () => false,
      mirror: async () => undefined,
      release: async () => undefined,
    };
    const l = pod({ lease });
    await l.pass();
    expect(changes(l.journal)).toEqual([]);
    expect(l.disk.saved.at(-1)?.updating).toBeNull();
    expect(l.state.file).toMatchObject({ server: { port: 41234 } });
  });

  test("is made under no-destroy, and not under observe", async () => {
    const noDestroy = pod({ policy: "no-destroy" });
    await noDestroy.pass();
    expect(changes(noDestroy.journal)).toEqual([`update ${ID}`, `recycle ${ID}`]);
    const observing = pod({ policy: "observe" });
    await observing.pass();
    expect(changes(observing.journal)).toEqual([]);
    expect(observing.state.plan?.message).toContain(`suppressed by VAST_POLICY=observe: update ${ID} (image_changed)`);
  });
});

describe("an update whose image cannot be pulled", () => {
  /** A pod whose instance cannot pull the new image, and serves with the old one. */
  function typoPod(setup: Setup = {}) {
    let shows = old;
    let sent = "";
    const seen = (): Observation => {
      const at = l.clock.now(); // a probe from the future would count in every pass
      return observation([shows], { probes: new Map([[ID, { ...passing(), startedAt: at, at }]]) });
    };
    const l: ReturnType<typeof loop> = loop({
      ...inPlace,
      seen,
      ...setup,
      update: (request) => {
        setup.update?.(request);
        sent = request.image;
      },
      recycle: (id) => {
        setup.recycle?.(id);
        const typo = {
          image: sent,
          actualStatus: "loading",
          address: "",
          ports: null,
          statusMessage: "manifest unknown",
        };
        shows = sent === old.image ? old : row(typo);
      },
    });
    return l;
  }

  test("goes back: the same instance serves the old image, blocked, and no second attempt follows before its time", async () => {
    const l = typoPod();
    await l.pass();
    await l.clock.advance(2 * SECOND);
    await l.pass();
    expect(l.state.state.updating).toMatchObject({ image: old.image, undo: { unanswered: 0 } });
    await l.clock.advance(10 * SECOND);
    await l.pass();
    expect(l.state.file).toMatchObject({ state: "blocked", reason: "update_failed", server: { port: 41234 } });
    await passAfter(l, 18 * MINUTE);
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`, `update ${ID}`, `recycle ${ID}`]);
    await passAfter(l, 2 * MINUTE);
    expect(changes(l.journal)).toHaveLength(6);
  });

  test("is given up where the API refuses to put the old one back", async () => {
    let calls = 0;
    const l = typoPod({
      update: () => {
        calls += 1;
        if (calls > 1) throw vastError("invalid");
      },
    });
    await l.pass();
    for (const _ of [1, 2]) {
      await l.clock.advance(2 * SECOND);
      await l.pass();
    }
    expect(changes(l.journal)).toEqual([`update ${ID}`, `recycle ${ID}`, `update ${ID}`, `destroy ${ID}`]);
  });

  test("is put back again and again while the account is in the way, and given up after three calls without an answer", async () => {
    let kind: "auth" | "unavailable" = "auth";
    let calls = 0;
    const l = typoPod({
      update: () => {
        calls += 1;
        if (calls > 1) throw vastError(kind);
      },
    });
    await l.pass();
    await l.clock.advance(2 * SECOND);
    await l.pass();
    await passesFor(l, 2 * MINUTE);
    expect(changes(l.journal).filter((entry) => entry.startsWith("destroy"))).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(4);
    kind = "unavailable";
    await passesFor(l, 2 * MINUTE);
    expect(changes(l.journal).at(-1)).toBe(`destroy ${ID}`);
  });
});
