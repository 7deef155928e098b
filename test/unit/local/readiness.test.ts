import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { type Readiness, watchReadiness } from "../../local/readiness.ts";

/** What is told while the pod shows these states one after the other; the look after the last one ends it. */
async function toldOf(...states: Readiness[]): Promise<Readiness[]> {
  const over = new AbortController();
  const told: Readiness[] = [];
  const look = async () => {
    const state = states.shift();
    if (state === undefined) over.abort();
    return state ?? "silent";
  };
  await watchReadiness("http://pod", steppingClock(), over.signal, (readiness) => told.push(readiness), look);
  return told;
}

test("nothing is told before the pod was ready for the first time", async () => {
  expect(await toldOf("silent", "unready", "silent", "ready")).toEqual(["ready"]);
});

test("each change afterwards is told once", async () => {
  const told = await toldOf("ready", "ready", "unready", "unready", "silent", "ready", "ready");
  expect(told).toEqual(["ready", "unready", "silent", "ready"]);
});

test("what is seen after the end is not told", async () => {
  expect(await toldOf("ready")).toEqual(["ready"]);
});
