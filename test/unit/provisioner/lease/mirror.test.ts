import { describe, expect, test } from "vitest";
import { formatMirror, type Mirror, parseMirror, takeOver } from "../../../../provisioner/lease/mirror.ts";
import type { Doomed, Intent, Memory } from "../../../../provisioner/state/schema.ts";
import { LABEL, MINUTE, memory, NOW, servingTrack } from "../plan/situation.ts";

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
const doomed = (id: number): Doomed => ({ id, reason: "duplicate", since: NOW, askedAt: null });

/** What another provisioner with the memory `theirs` left behind. */
function left(theirs: Partial<Memory>, token = "theirs"): Mirror {
  const read = parseMirror(formatMirror(memory(theirs), token), LABEL);
  if ("why" in read) throw new Error(read.why);
  return read.mirror;
}
const taken = (ours: Partial<Memory>, theirs: Partial<Memory>, token?: string) =>
  takeOver(memory(ours), left(theirs, token), TOKEN, NOW);

describe("the copy in Redis", () => {
  test("holds intent, doomed ids and creates, and nothing else of the memory", () => {
    const full = memory({ intent: intent(), doomed: [doomed(7)], creates: [NOW], tracks: { 5: servingTrack() } });
    expect(JSON.parse(formatMirror(full, TOKEN))).toEqual({
      schema: 1,
      label: LABEL,
      token: TOKEN,
      intent: intent(),
      doomed: [doomed(7)],
      creates: [NOW],
    });
  });

  test.each([
    ["{", /not JSON/],
    ["7", /expected object/],
    [formatMirror(memory(), TOKEN).replace('"schema":1', '"schema":2'), /schema/],
    [formatMirror(memory(), TOKEN).replace('"doomed":[]', '"doomed":["x"]'), /doomed/],
    [formatMirror({ ...memory(), label: "k8s_pod=other" }, TOKEN), /k8s_pod=other/],
  ])("is refused with its reason when it is unusable: %.40s", (text, why) => {
    expect(parseMirror(text, LABEL)).toMatchObject({ why: expect.stringMatching(why) });
  });
});

describe("what a predecessor left behind", () => {
  test("is taken over where the disk has nothing", () => {
    const theirs = { intent: intent(), doomed: [doomed(7)], creates: [NOW - MINUTE] };
    expect(taken({}, theirs)).toEqual(memory(theirs));
  });

  test("adds its doomed ids and creates to ours, each once", () => {
    const asked = { ...doomed(7), askedAt: NOW };
    const next = taken(
      { doomed: [asked], creates: [NOW - MINUTE, NOW] },
      { doomed: [doomed(7), doomed(8)], creates: [NOW - 2 * MINUTE, NOW - MINUTE] },
    );
    expect(next.doomed).toEqual([asked, doomed(8)]);
    expect(next.creates).toEqual([NOW - 2 * MINUTE, NOW - MINUTE, NOW]);
  });

  test("does not take the place of an intent of ours that is as young", () => {
    const ours = intent({ startedAt: NOW, contract: 42 });
    expect(taken({ intent: ours }, { intent: intent() }).intent).toEqual(ours);
    expect(taken({ intent: ours }, { intent: null }).intent).toEqual(ours);
  });

  test("takes the place of an intent of ours that is older: its holder had resolved ours", () => {
    expect(taken({ intent: intent() }, { intent: intent({ startedAt: NOW }) }).intent?.startedAt).toBe(NOW);
  });

  test("gives a contract that was not listed yet its whole time again before it is ended: the copy may be old", () => {
    expect(taken({}, { intent: intent({ contract: 42 }) }).intent).toEqual(intent({ contract: 42, startedAt: NOW }));
    expect(taken({}, { intent: intent() }).intent?.startedAt).toBe(NOW - 5 * MINUTE);
  });

  test("teaches nothing when it is our own: the disk knows what is gone since", () => {
    const stale = { intent: intent({ contract: 42 }), doomed: [doomed(7)], creates: [NOW - MINUTE] };
    expect(taken({}, stale, TOKEN)).toEqual(memory());
  });
});
