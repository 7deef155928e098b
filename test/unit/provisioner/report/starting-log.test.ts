import { expect, test } from "vitest";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { createStartingLog } from "../../../../provisioner/report/starting-log.ts";
import { fakeLog } from "../fakes.ts";
import {
  inputOf,
  limits,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  startingRow,
  state,
  tracks,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;

function loopWith(situation: Parameters<typeof planned>[0]): LoopState {
  const { seen, state: before } = inputOf(situation);
  return { ...startState(before, NOW), seen, plan: planned(situation) };
}

const loading = (statusMessage: string) =>
  loopWith({
    seen: observation([startingRow({ statusMessage })]),
    state: state({ tracks: tracks(ID, waitingTrack(0)) }),
  });

function setUp() {
  const { log, lines } = fakeLog();
  return { tell: createStartingLog(log, limits), lines };
}

test("says once a minute how far a starting instance is, in Vast.ai's own words", () => {
  const { tell, lines } = setUp();
  for (let at = 0; at <= 3 * MINUTE; at += 2 * SECOND) tell(loading("pulling 3.1 of >=9.8 GB"), NOW + at);
  expect(lines).toMatchObject([{ phase: "starting", instance: ID, status: "loading" }, {}, {}]);
  expect(lines.map(({ msg }) => msg)).toEqual(
    ["1 min", "2 min", "3 min"].map(
      (waited) =>
        `instance ${ID} (RTX 4090, $0.316/h) is loading, since ${waited} of at most 20 min: Vast.ai says "pulling 3.1 of >=9.8 GB"`,
    ),
  );
});

test("starts again with each instance, and says nothing about one that serves", () => {
  const { tell, lines } = setUp();
  const at = (ms: number, id: number) => {
    const track = waitingTrack(0, { waitingSince: NOW + ms, firstSeenAt: NOW + ms });
    return loopWith({ seen: observation([startingRow({ id })]), state: state({ tracks: tracks(id, track) }) });
  };
  tell(at(0, 1), NOW + MINUTE);
  tell(at(MINUTE, 2), NOW + 90 * SECOND);
  expect(lines).toHaveLength(1);
  const serving = loopWith({ seen: observation([row()]), state: state({ tracks: tracks(ID, servingTrack()) }) });
  tell(serving, NOW + 5 * MINUTE);
  expect(lines).toHaveLength(1);
});

test("a hostile host controls neither the line nor its length", () => {
  const { tell, lines } = setUp();
  tell(loading(`\u001b[2Jfake\r\nline\u202e${"x".repeat(1000)}`), NOW + MINUTE);
  expect(lines[0]?.statusMessage).toBe(`fake line${"x".repeat(191)}`);
});
