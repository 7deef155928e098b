import { expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { PUT_REPORT, putReport, readReports, removeReport } from "../../../../provisioner/fleet/reports.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { HOUR, MINUTE } from "../plan/situation.ts";
import { blockedReport, reported } from "../report/reported.ts";

const keys = fleetKeys(17);

test("reports are read with their age by Redis' clock, until they are removed", async () => {
  const clock = fakeClock();
  const redis = sharedRedis(clock.now).connect(clock.sleep);
  await putReport(redis, keys, "a", reported());
  await clock.advance(MINUTE);
  await putReport(redis, keys, "b", blockedReport("b"));
  const reports = await readReports(redis, keys);
  expect([...reports].map(([label, { ageMs }]) => [label, ageMs])).toEqual([
    ["a", MINUTE],
    ["b", 0],
  ]);
  expect(reports.get("b")?.report).toMatchObject(blockedReport("b"));
  await removeReport(redis, keys, "a");
  expect([...(await readReports(redis, keys)).keys()]).toEqual(["b"]);
});

test("an observer's report replaces no other one, until nobody that acts has reported for a quarter of an hour", async () => {
  const clock = fakeClock();
  const redis = sharedRedis(clock.now).connect(clock.sleep);
  const reasonOf = async (label: string) => (await readReports(redis, keys)).get(label)?.report?.reason;
  const observe = (reason: string) => putReport(redis, keys, "a", reported({ observer: true, reason }));
  await putReport(redis, keys, "a", reported({ reason: "owner" }));
  await clock.advance(15 * MINUTE);
  await observe("too early");
  expect(await reasonOf("a")).toBe("owner");
  await clock.advance(1);
  for (const reason of ["owner is silent", "second"]) {
    await observe(reason);
    expect(await reasonOf("a")).toBe(reason);
  }
  await putReport(redis, keys, "a", reported({ reason: "owner is back" }));
  await observe("too early again");
  expect(await reasonOf("a")).toBe("owner is back");
});

test("a report of another version of the program has an age only", async () => {
  const clock = fakeClock();
  const redis = sharedRedis(clock.now).connect(clock.sleep);
  await redis.evaluate(PUT_REPORT, [keys.reports, keys.reportsSwept], ["a", '{"schema":2}', HOUR, HOUR]);
  await clock.advance(MINUTE);
  expect((await readReports(redis, keys)).get("a")).toEqual({ report: null, ageMs: MINUTE });
});

test("what a pod has said that never comes back is forgotten after a day, though others go on", async () => {
  const clock = fakeClock();
  const redis = sharedRedis(clock.now).connect(clock.sleep);
  await putReport(redis, keys, "gone", reported());
  for (let hours = 0; hours < 26; hours += 1) {
    await clock.advance(HOUR);
    await putReport(redis, keys, "here", reported());
    if (hours === 20) expect((await readReports(redis, keys)).size).toBe(2);
  }
  expect([...(await readReports(redis, keys)).keys()]).toEqual(["here"]);
});
