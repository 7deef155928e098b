import { describe, expect, test } from "vitest";
import {
  formatMirror,
  type LeftServer,
  leftServer,
  type Mirror,
  parseMirror,
  takeOver,
} from "../../../../provisioner/lease/mirror.ts";
import type { PendingDelete } from "../../../../provisioner/state/pending-delete.ts";
import type { Intent, State } from "../../../../provisioner/state/schema.ts";
import { LABEL, MINUTE, NOW, published, servingTrack, state } from "../plan/situation.ts";

const TOKEN = "ours";
const intent = (over: Partial<Intent> = {}): Intent => ({
  offerId: 1,
  hostId: null,
  machineId: 3,
  dollarsPerHour: 0.3,
  label: LABEL,
  startedAt: NOW - 5 * MINUTE,
  contract: null,
  ...over,
});
const pendingDeletes = (id: number): PendingDelete => ({ id, reason: "unreachable", since: NOW, deleteSentAt: null });

const { server, instance } = published();
if (server === null || instance === null) throw new Error("the fixture serves nothing");
const SERVER: LeftServer = { server, instance, servedAt: NOW, listedAt: NOW };

/** The copy of another provisioner with the state `theirs`. */
function left(theirs: Partial<State>, token = "theirs", saved = true): Mirror {
  const read = parseMirror(formatMirror(state(theirs), token, saved).text(), LABEL);
  if ("why" in read) throw new Error(read.why);
  return read.mirror;
}
const taken = (ours: Partial<State>, theirs: Partial<State>, token?: string, saved?: boolean) =>
  takeOver(state(ours), left(theirs, token, saved), TOKEN, NOW);

test("a pod that has lost its disk still knows that it is on demand because bids had failed", () => {
  const fallback = { instanceIds: [7], since: NOW, looks: 1, attempts: 2, until: NOW + 1, found: null };
  expect(taken({}, { fallback }).fallback).toEqual(fallback);
  expect(taken({ fallback: { ...fallback, attempts: 3 } }, { fallback }).fallback?.attempts).toBe(3);
});

describe("the copy in Redis", () => {
  test("holds intent, pending deletes, creates, update, fallback, money and the server, and nothing else of the state", () => {
    const full = state({
      intent: intent(),
      pendingDeletes: [pendingDeletes(7)],
      creates: [NOW],
      tracks: { 5: servingTrack() },
    });
    expect(JSON.parse(formatMirror(full, TOKEN, true).text())).toEqual({
      schema: 2,
      label: LABEL,
      token: TOKEN,
      intent: intent(),
      pendingDeletes: [pendingDeletes(7)],
      creates: [NOW],
      updating: null,
      surge: null,
      fallback: null,
      startedAt: null,
      saved: true,
      money: null,
      left: null,
    });
  });

  test("changes what decides with the server, and not with the instants of the server", () => {
    const actsOf = (left: LeftServer | null) => formatMirror(state(), TOKEN, true, left).acts;
    expect(actsOf(SERVER)).not.toBe(actsOf(null));
    expect(actsOf({ ...SERVER, servedAt: NOW + MINUTE, listedAt: NOW + MINUTE })).toBe(actsOf(SERVER));
  });

  test.each([
    ["{", /not JSON/],
    ["7", /expected object/],
    [formatMirror(state(), TOKEN, true).text().replace('"schema":2', '"schema":3'), /schema/],
    [
      formatMirror(state(), TOKEN, true).text().replace('"pendingDeletes":[]', '"pendingDeletes":["x"]'),
      /pendingDeletes/,
    ],
    [formatMirror({ ...state(), label: "k8s_pod=other" }, TOKEN, true).text(), /k8s_pod=other/],
  ])("is refused with its reason when it is unusable: %.40s", (text, why) => {
    expect(parseMirror(text, LABEL)).toMatchObject({ why: expect.stringMatching(why) });
  });
});

describe("the server that a predecessor published", () => {
  const found = (ours: Partial<State>, over: Partial<Mirror> = {}) =>
    leftServer(state(ours), { ...left({}), left: SERVER, ...over }, TOKEN);

  test("is for a provisioner that knows of no instance", () => {
    expect(found({})).toEqual(SERVER);
    expect(found({ tracks: { 5: servingTrack() } })).toBeNull();
    expect(found({ intent: intent() })).toBeNull();
  });

  test("is not used when the copy is our own, has none, or its instance is to be destroyed", () => {
    expect(found({}, { token: TOKEN })).toBeNull();
    expect(found({}, { left: null })).toBeNull();
    expect(found({ pendingDeletes: [pendingDeletes(SERVER.instance.id)] })).toBeNull();
  });

  test("is read from the text, and is none in a copy of an earlier version", () => {
    const text = formatMirror(state(), "theirs", true, SERVER).text();
    expect(parseMirror(text, LABEL)).toMatchObject({ mirror: { left: SERVER } });
    const { left: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
    expect(parseMirror(JSON.stringify(rest), LABEL)).toMatchObject({ mirror: { left: null } });
  });
});

const money = (over: Partial<State["money"]>): State["money"] => ({ ...state().money, since: NOW, paid: 1, ...over });

describe("the money in the copy", () => {
  test.each<[string, Partial<State["money"]>, Partial<State["money"]>, "ours" | "theirs"]>([
    ["after a lost volume is theirs", { since: null, paid: 0 }, { since: NOW - MINUTE, paid: 20 }, "theirs"],
    ["is theirs when we began later", { since: NOW, paid: 0.1 }, { since: NOW - MINUTE, paid: 20 }, "theirs"],
    ["is ours when they began later", { since: NOW - MINUTE }, { since: NOW, paid: 20 }, "ours"],
    ["of one account is the larger one", { paid: 3 }, { paid: 20 }, "theirs"],
    ["of one account is ours when it is larger", { paid: 30 }, { paid: 20 }, "ours"],
    ["is ours while they had not counted", { paid: 3 }, { since: null }, "ours"],
  ])("%s", (_, ours, theirs, whose) => {
    const both = { ours: money(ours), theirs: money(theirs) };
    expect(taken({ money: both.ours }, { money: both.theirs }).money).toEqual(both[whose]);
  });

  test("is ours where an earlier version has written the copy", () => {
    const { money: _, ...rest } = JSON.parse(formatMirror(state(), "theirs", true).text()) as Record<string, unknown>;
    const read = parseMirror(JSON.stringify(rest), LABEL);
    if ("why" in read) throw new Error(read.why);
    expect(takeOver(state({ money: money({}) }), read.mirror, TOKEN, NOW).money).toEqual(money({}));
  });
});

describe("what a predecessor left behind", () => {
  test("is taken over when the state file has nothing", () => {
    const theirs = { intent: intent(), pendingDeletes: [pendingDeletes(7)], creates: [NOW - MINUTE] };
    expect(taken({}, theirs)).toEqual(state(theirs));
  });

  test("is its update of an instance that this program does not know: only there stands what it can go back to", () => {
    const updating = {
      instanceId: 5,
      wanted: "image example/app:2",
      image: "example/app:2",
      templateHash: "4e17aa01",
      startedAt: NOW,
      sentAt: NOW,
      recycledAt: NOW,
      failed: null,
      before: { image: "example/app:1", templateHash: "4e17aa01" },
      statusBefore: "",
      undo: null,
    };
    expect(taken({}, { updating }).updating).toEqual(updating);
    expect(taken({ tracks: { 5: servingTrack() } }, { updating }).updating).toBeNull();
    expect(taken({ updating: { ...updating, instanceId: 6 } }, { updating }).updating?.instanceId).toBe(6);
  });

  test("adds its pending deletes and creates to ours, each once", () => {
    const asked = { ...pendingDeletes(7), deleteSentAt: NOW };
    const next = taken(
      { pendingDeletes: [asked], creates: [NOW - MINUTE, NOW] },
      { pendingDeletes: [pendingDeletes(7), pendingDeletes(8)], creates: [NOW - 2 * MINUTE, NOW - MINUTE] },
    );
    expect(next.pendingDeletes).toEqual([asked, pendingDeletes(8)]);
    expect(next.creates).toEqual([NOW - 2 * MINUTE, NOW - MINUTE, NOW]);
  });

  test("is no duplicate whose DELETE it did not send: the instance beside it may have ended with the predecessor", () => {
    const unsent = { ...pendingDeletes(7), reason: "duplicate" };
    const sent = { ...pendingDeletes(8), reason: "duplicate", deleteSentAt: NOW };
    expect(taken({}, { pendingDeletes: [unsent, sent] }).pendingDeletes).toEqual([sent]);
    expect(taken({ pendingDeletes: [unsent] }, { pendingDeletes: [unsent] }).pendingDeletes).toEqual([unsent]);
  });

  test("does not replace an intent of ours that is as recent", () => {
    const ours = intent({ startedAt: NOW, contract: 42 });
    expect(taken({ intent: ours }, { intent: intent() }).intent).toEqual(ours);
    expect(taken({ intent: ours }, { intent: null }).intent).toEqual(ours);
  });

  test("replaces an intent of ours that is older: its writer had resolved ours", () => {
    expect(taken({ intent: intent() }, { intent: intent({ startedAt: NOW }) }).intent?.startedAt).toBe(NOW);
  });

  test("restarts the deadline of a contract that is not listed yet: the copy may be old", () => {
    expect(taken({}, { intent: intent({ contract: 42 }) }).intent).toEqual(intent({ contract: 42, startedAt: NOW }));
    expect(taken({}, { intent: intent() }).intent?.startedAt).toBe(NOW - 5 * MINUTE);
  });

  test("is taken over where it is our own and the state file could not be written: the file is older", () => {
    const unsaved = { intent: intent(), pendingDeletes: [pendingDeletes(7)], creates: [NOW - MINUTE] };
    expect(taken({}, unsaved, TOKEN, false)).toEqual(state(unsaved));
  });

  test("is ignored when it is our own and the state file has it: that is newer", () => {
    const stale = { intent: intent({ contract: 42 }), pendingDeletes: [pendingDeletes(7)], creates: [NOW - MINUTE] };
    expect(taken({}, stale, TOKEN)).toEqual(state());
  });
});
