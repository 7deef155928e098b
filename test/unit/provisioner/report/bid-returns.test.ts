import { expect, test } from "vitest";
import { fellBack, logBidReturn, returnOutcome } from "../../../../provisioner/report/bid-returns.ts";
import { updateOutcomes } from "../../../../provisioner/report/update-counts.ts";
import { fakeLog } from "../fakes.ts";
import { HOUR, NOW, servingTrack, state } from "../plan/situation.ts";

const old = { id: 7, wanted: "a bid: $0.1100 instead of $0.2500 an hour", reported: "r", toBid: true };
const fallback = { instanceIds: [7], since: NOW, looks: 0, attempts: 0, until: NOW, found: null };
const begun = state({
  surge: { old, newId: 8, since: NOW },
  fallback,
  tracks: { 7: servingTrack(), 8: servingTrack() },
});
const done = state({ tracks: { 8: servingTrack() } });
const failed = state({
  fallback: { ...fallback, attempts: 1, until: NOW + HOUR },
  tracks: { 7: servingTrack() },
});

test("an attempt to go back to a bid is counted when one of the two is gone, and is no update", () => {
  expect(returnOutcome(begun, begun)).toBeNull();
  expect(returnOutcome(begun, done)).toBe("done");
  expect(returnOutcome(begun, failed)).toBe("failed");
  expect(returnOutcome(begun, state({ tracks: { 8: servingTrack({ serving: false }) } }))).toBeNull();
  expect(returnOutcome(failed, failed)).toBeNull();
  const update = { ...begun, surge: { old: { ...old, toBid: undefined }, newId: 8, since: NOW } };
  expect(returnOutcome(update, done)).toBeNull();
  expect([updateOutcomes(begun, done), updateOutcomes(begun, failed)]).toEqual([[], []]);
});

test("a fallback is counted with each instance that is rented on demand for it", () => {
  expect(fellBack(state(), state({ fallback }))).toBe(true);
  expect(fellBack(state({ fallback }), state({ fallback }))).toBe(false);
  expect(fellBack(state({ fallback }), state({ fallback: { ...fallback, instanceIds: [9] } }))).toBe(true);
  expect(fellBack(state({ fallback }), state())).toBe(false);
});

test("the log says once why, and when the next attempt is made", () => {
  const { log, lines } = fakeLog();
  for (const after of [begun, done, failed]) logBidReturn(log, begun, after);
  logBidReturn(log, failed, failed);
  expect(lines.map(({ msg }) => msg)).toEqual([
    "back to a bid: $0.1100 instead of $0.2500 an hour: instance 8 serves in place of 7",
    `not back to a bid: $0.1100 instead of $0.2500 an hour: the new instance did not come up, and instance 7 serves on; the next attempt is at ${new Date(NOW + HOUR).toISOString()}`,
  ]);
});
