import { describe, expect, test } from "vitest";
import type { Limits } from "../../../../provisioner/model/desired.ts";
import { OURS } from "../../../../provisioner/model/ownership.ts";
import { isReady } from "../../../../provisioner/plan/readiness.ts";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { inputOf, NOW, published, row, servingTrack, state, template } from "./situation.ts";

const outdated = row({ image: "example/app:1" });
const otherTemplate = row({ templateHash: "0ther" });

function ready(
  r: Instance,
  track: Partial<Track> | null,
  limits: Partial<Limits> = {},
  ownership = OURS,
  known: Partial<State> = {},
) {
  const tracks = track === null ? {} : { [r.id]: servingTrack(track) };
  return isReady(
    published(r),
    inputOf({ limits: { updateStrategy: "surge", ...limits }, state: state({ tracks, ...known }), ownership }),
  );
}

describe("with a surge", () => {
  test("a pod that began with an outdated instance is not ready while that serves", () => {
    for (const foundOutdated of [true, null]) {
      expect(ready(outdated, { foundOutdated })).toBe(false);
      expect(ready(otherTemplate, { foundOutdated })).toBe(false);
    }
    expect(ready(outdated, null)).toBe(false); // the published server of a predecessor
    expect(ready(row(), { foundOutdated: true })).toBe(true); // the setting was changed back
  });

  test("a pod that began before it knew its template is not ready until it does", () => {
    const notRead = { template: null };
    const ofOtherName = { template: { ...template, name: "other", seenAt: NOW, readAt: NOW } };
    for (const known of [notRead, ofOtherName]) {
      expect(ready(row(), { foundOutdated: null }, {}, OURS, known)).toBe(false);
      expect(ready(row(), null, {}, OURS, known)).toBe(false);
      expect(ready(row(), { foundOutdated: false }, {}, OURS, known)).toBe(true); // a restart of the same pod
    }
  });

  test("a pod that has been ready stays ready when its template is edited, unless only the new instance counts", () => {
    expect(ready(otherTemplate, { foundOutdated: false })).toBe(true);
    expect(ready(otherTemplate, { foundOutdated: false }, { surgeReady: "new" })).toBe(false);
    expect(ready(row(), { foundOutdated: false }, { surgeReady: "new" })).toBe(true);
  });

  test("a provisioner that another one has superseded does not know what is outdated", () => {
    expect(ready(outdated, { foundOutdated: true }, {}, { kind: "ours", doubt: null, superseded: true })).toBe(true);
  });
});

test("with another strategy, or without a server, nothing is said", () => {
  for (const updateStrategy of ["recreate", "in-place"] as const)
    expect(ready(outdated, { foundOutdated: true }, { updateStrategy })).toBe(true);
  const none = { ...published(outdated), server: null };
  expect(isReady(none, inputOf({ limits: { updateStrategy: "surge" } }))).toBe(true);
});
