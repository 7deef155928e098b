import { describe, expect, test } from "vitest";
import { createOutages } from "../../../../provisioner/redis/outages.ts";
import { fakeLog } from "../fakes.ts";
import { NOW, SECOND } from "../plan/situation.ts";

function setup() {
  const { log, lines } = fakeLog();
  const time = { now: NOW };
  const outages = createOutages(log, () => time.now);
  return { outages, time, said: () => lines.filter((line) => line.level !== "debug").map((line) => String(line.msg)) };
}
const refused = () => Object.assign(new Error("connect ECONNREFUSED 10.0.0.5:6379"), { code: "ECONNREFUSED" });
const timedOut = () => new Error("Command timed out");
const full = () => new Error("OOM command not allowed when used memory > 'maxmemory'.");
const enters = (outages: { enter(): void }) => {
  try {
    outages.enter();
    return true;
  } catch {
    return false;
  }
};

describe("an outage of Redis", () => {
  test("is said once with the remedy, and once when it is over", () => {
    const { outages, said } = setup();
    expect(outages.up()).toBe(true);
    for (const error of [refused(), timedOut(), refused()]) outages.failed(error, true);
    expect(outages.up()).toBe(false);
    expect(said()).toEqual([expect.stringMatching(/^Redis is away: bans are unknown.*BLACKLIST_REDIS_URL/)]);
    outages.worked("reading");
    outages.worked("reading");
    expect(outages.up()).toBe(true);
    expect(said()).toEqual([expect.stringContaining("away"), "Redis is back"]);
  });

  test("is said again when it comes again", () => {
    const { outages, said } = setup();
    outages.failed(refused(), true);
    outages.worked("reading");
    outages.failed(refused(), true);
    expect(said()).toHaveLength(3);
  });

  test("with another cause in its midst is said with the other remedy", () => {
    const { outages, said } = setup();
    outages.failed(refused(), true);
    outages.failed(new Error("WRONGPASS invalid username-password pair or user is disabled."), true);
    outages.failed(refused(), true);
    expect(said()).toEqual([expect.stringContaining("away"), expect.stringContaining("correct user and password")]);
  });

  test("of writes alone lasts until a write works, whatever can be read", () => {
    const { outages, said } = setup();
    outages.failed(full(), true);
    outages.worked("reading");
    outages.failed(full(), true);
    expect(said()).toEqual([expect.stringMatching(/Redis is full: .*maxmemory/)]);
    outages.worked("writing");
    expect(outages.up()).toBe(true);
  });

  test("is not what one key with something else in it makes", () => {
    const { outages, said } = setup();
    outages.failed(new Error("WRONGTYPE Operation against a key holding the wrong kind of value"), true);
    expect(outages.up()).toBe(true);
    expect(said()).toEqual([]);
  });

  test("keeps the time of the last failure of each kind", () => {
    const { outages, time } = setup();
    outages.failed(refused(), true);
    time.now += SECOND;
    outages.failed(timedOut(), true);
    outages.worked("reading");
    expect([...outages.failures()]).toEqual([
      ["unreachable", NOW],
      ["timeout", NOW + SECOND],
    ]);
  });
});

describe("commands of an unreachable Redis", () => {
  test("are refused at once for a moment after one has waited", () => {
    const { outages, time } = setup();
    expect(enters(outages)).toBe(true);
    outages.failed(timedOut(), true);
    expect(enters(outages)).toBe(false);
    time.now += 3 * SECOND;
    expect(enters(outages)).toBe(true);
  });

  test("are sent at once when there is a connection again", () => {
    const { outages } = setup();
    outages.failed(refused(), true);
    outages.connected();
    expect(enters(outages)).toBe(true);
  });

  test("are refused at once also where a login keeps the connection from being made", () => {
    const { outages } = setup();
    outages.failed(new Error("WRONGPASS invalid username-password pair or user is disabled."), false);
    expect(enters(outages)).toBe(false);
  });

  test("are sent on where Redis answers, be it with a refusal", () => {
    const { outages } = setup();
    outages.failed(full(), true);
    expect(enters(outages)).toBe(true);
  });
});
