import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { type Readiness, watchReadiness } from "../../local/readiness.ts";

/** What is reported while the probes return these states one after the other; the probe after the last one stops it. */
async function reportedFor(...states: Readiness[]): Promise<Readiness[]> {
  const over = new AbortController();
  const reported: Readiness[] = [];
  const probe = async () => {
    const state = states.shift();
    if (state === undefined) over.abort();
    return state ?? "silent";
  };
  await watchReadiness("http://pod", steppingClock(), over.signal, (readiness) => reported.push(readiness), probe);
  return reported;
}

test("nothing is reported before the pod is ready for the first time", async () => {
  expect(await reportedFor("silent", "unready", "silent", "ready")).toEqual(["ready"]);
});

test("each later change is reported once", async () => {
  const reported = await reportedFor("ready", "ready", "unready", "unready", "silent", "ready", "ready");
  expect(reported).toEqual(["ready", "unready", "silent", "ready"]);
});

test("a change after the stop is not reported", async () => {
  expect(await reportedFor("ready")).toEqual(["ready"]);
});
