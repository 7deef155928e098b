import { describe, expect, test } from "vitest";
import { createOutages } from "../../../../provisioner/redis/outages.ts";
import { fakeLog } from "../fakes.ts";
import { NOW, SECOND } from "../plan/situation.ts";

function setup(use: Parameters<typeof createOutages>[2] = { variable: "BLACKLIST_REDIS_URL", holds: "bans" }) {
  const { log, lines } = fakeLog();
  const time = { now: NOW };
  const outages = createOutages(log, () => time.now, use);
  return {
    outages,
    time,
    logged: () => lines.filter((line) => line.level !== "debug").map((line) => String(line.msg)),
  };
}
const refused = () => Object.assign(new Error("connect ECONNREFUSED 10.0.0.5:6379"), { code: "ECONNREFUSED" });
const timedOut = () => new Error("Command timed out");
const full = () => new Error("OOM command not allowed when used memory > 'maxmemory'.");
const sends = (outages: { throwIfUnreachable(): void }) => {
  try {
    outages.throwIfUnreachable();
    return true;
  } catch {
    return false;
  }
};

describe("an outage of Redis", () => {
  test("is logged once with the remedy, and once when it ends", () => {
    const { outages, logged } = setup();
    expect(outages.up()).toBe(true);
    for (const error of [refused(), timedOut(), refused()]) outages.failed(error, true);
    expect(outages.up()).toBe(false);
    expect(logged()).toEqual([expect.stringMatching(/^Redis is unreachable: bans are unknown.*BLACKLIST_REDIS_URL/)]);
    outages.succeeded("reading");
    outages.succeeded("reading");
    expect(outages.up()).toBe(true);
    expect(logged()).toEqual([expect.stringContaining("unreachable"), "Redis is back"]);
  });

  test("names the setting of this Redis, and what is missing because of it", () => {
    const { outages, logged } = setup({ variable: "FLEET_REDIS_URL", holds: "fleet" });
    outages.failed(full(), true);
    outages.failed(new Error("NOAUTH Authentication required."), true);
    expect(logged()).toEqual([
      expect.stringMatching(
        /out of memory: the lease is not renewed, and each pod lists and takes its turn alone, in a slot of its own; /,
      ),
      expect.stringMatching(
        /until it is back the lease is not renewed, and each pod lists .*; correct.* FLEET_REDIS_URL .* FLEET_REDIS_PASSWORD$/,
      ),
    ]);
  });

  test("is logged again when it happens again", () => {
    const { outages, logged } = setup();
    outages.failed(refused(), true);
    outages.succeeded("reading");
    outages.failed(refused(), true);
    expect(logged()).toHaveLength(3);
  });

  test("that changes its cause is logged again with the other remedy", () => {
    const { outages, logged } = setup();
    outages.failed(refused(), true);
    outages.failed(new Error("WRONGPASS invalid username-password pair or user is disabled."), true);
    outages.failed(refused(), true);
    expect(logged()).toEqual([
      expect.stringContaining("unreachable"),
      expect.stringContaining("correct the user in BLACKLIST_REDIS_URL and the password"),
    ]);
  });

  test("that affects only writes lasts until a write succeeds, even if reads succeed", () => {
    const { outages, logged } = setup();
    outages.failed(full(), true);
    outages.succeeded("reading");
    outages.failed(full(), true);
    expect(logged()).toEqual([expect.stringMatching(/Redis is out of memory: .*maxmemory/)]);
    outages.succeeded("writing");
    expect(outages.up()).toBe(true);
  });

  test("is not caused by one key with an unexpected value", () => {
    const { outages, logged } = setup();
    outages.failed(new Error("WRONGTYPE Operation against a key holding the wrong kind of value"), true);
    expect(outages.up()).toBe(true);
    expect(logged()).toEqual([]);
  });

  test("keeps the time of the last failure of each kind", () => {
    const { outages, time } = setup();
    outages.failed(refused(), true);
    time.now += SECOND;
    outages.failed(timedOut(), true);
    outages.succeeded("reading");
    expect([...outages.failures()]).toEqual([
      ["unreachable", NOW],
      ["timeout", NOW + SECOND],
    ]);
  });
});

describe("commands of an unreachable Redis", () => {
  test("fail immediately for a moment after one has timed out", () => {
    const { outages, time } = setup();
    expect(sends(outages)).toBe(true);
    outages.failed(timedOut(), true);
    expect(sends(outages)).toBe(false);
    time.now += 3 * SECOND;
    expect(sends(outages)).toBe(true);
  });

  test("are sent again immediately when there is a connection", () => {
    const { outages } = setup();
    outages.failed(refused(), true);
    outages.connected();
    expect(sends(outages)).toBe(true);
  });

  test("fail immediately also when a refused login prevents the connection", () => {
    const { outages } = setup();
    outages.failed(new Error("WRONGPASS invalid username-password pair or user is disabled."), false);
    expect(sends(outages)).toBe(false);
  });

  test("continue to be sent when Redis answers with an error", () => {
    const { outages } = setup();
    outages.failed(full(), true);
    expect(sends(outages)).toBe(true);
  });
});
