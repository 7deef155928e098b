// An image changes while three kinds of clients send requests through nginx for a minute, with real times.
import { expect, test } from "vitest";
import { type UpdateReport, updateUnderLoad } from "../integration/update-load.ts";

const SECONDS = 60;
// A reload for the new server, and one more at most.
const MOST_RELOADS = 2;
const CONNECTIONS = 8;
const slowBoot = { bootSeconds: 15, appSeconds: 5 };
const printed = (what: string, { sendsAgain, ...report }: UpdateReport) => {
  const { lost, ...rest } = sendsAgain;
  process.stdout.write(
    `${what}: ${JSON.stringify({ ...report, sendsAgain: { ...rest, lost: lost.length, became: [...new Set(lost)] } })}\n`,
  );
};

test("by surge loses no request: neither of connections of their own nor of clients that send again what an idle connection lost", async () => {
  const report = await updateUnderLoad({ strategy: "surge", seconds: SECONDS, emulator: slowBoot });
  printed("surge", report);
  const { connectionEach, keepAlive, sendsAgain, unservedMs } = report;
  expect(unservedMs).toBe(0);
  expect(connectionEach).toMatchObject({ refused: 0, errors: { connect: 0, read: 0, write: 0, timeout: 0 } });
  expect(connectionEach.requests).toBeGreaterThan(SECONDS * CONNECTIONS);
  expect(sendsAgain.lost).toEqual([]);
  // nginx before 1.27.4 closes idle connections at a reload. wrk counts those and does not send again.
  expect(keepAlive).toMatchObject({ refused: 0, errors: { connect: 0, write: 0, timeout: 0 } });
  expect(keepAlive.errors.read).toBeLessThanOrEqual(MOST_RELOADS * CONNECTIONS);
});

test("in place serves nothing from the withdrawal until the new container answers, and every request is answered at once", async () => {
  const report = await updateUnderLoad({ strategy: "in-place", seconds: SECONDS, emulator: slowBoot });
  printed("in place", report);
  const { connectionEach, unservedMs, tookMs } = report;
  expect(unservedMs).toBeGreaterThan(1000 * (slowBoot.bootSeconds + slowBoot.appSeconds));
  expect(unservedMs).toBeLessThan(tookMs);
  expect(connectionEach.refused).toBeGreaterThan(0);
  expect(connectionEach.errors).toEqual({ connect: 0, read: 0, write: 0, timeout: 0 });
});
