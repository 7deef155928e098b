import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { Applied } from "../../../../common/reloader-status.ts";
import { type AskReloader, awaitWithdrawn, isNobodyListening } from "../../../../provisioner/publish/withdraw.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { patientClock } from "../../../fakes/patient-clock.ts";
import { fakeLog } from "../fakes.ts";

const server = { scheme: "http" as const, host: "203.0.113.9", port: 41234 };
const other = { ...server, port: 50000 };
const applied = (generation: number, now: typeof server | null): Applied => ({ generation, server: now, hash: "h" });

/** Waits until generation 7 is applied; answers how long that took and what was logged. */
async function wait(ask: (n: number) => Applied, drainMs = 10_000, signal = new AbortController().signal) {
  const clock = fakeClock();
  const { log, lines } = fakeLog();
  const began = clock.now();
  let asked = 0;
  const question: AskReloader = async () => {
    asked += 1;
    return ask(asked);
  };
  await clock.drive(awaitWithdrawn(question, 7, server, drainMs, clock, log, signal));
  return { ms: clock.now() - began, asked, lines };
}

describe("withdrawing a server", () => {
  test("waits until nginx stops routing to the server, then for requests in progress", async () => {
    const { ms, lines } = await wait((n) => applied(n < 4 ? 6 : 7, n < 4 ? server : null));
    expect(ms).toBe(300 + 10_000);
    expect(lines).toEqual([]);
  });

  test("does not wait for requests of an instance that no longer answers", async () => {
    expect((await wait(() => applied(7, null), 0)).ms).toBe(0);
  });

  test("is done when nginx serves another instance", async () => {
    expect((await wait(() => applied(8, other), 0)).ms).toBe(0);
  });

  test("is not done while an older generation is applied, even without a server", async () => {
    expect((await wait(() => applied(6, null), 0)).ms).toBe(10_000);
  });

  test("is not done while the new generation still serves the same address", async () => {
    expect((await wait(() => applied(7, server), 0)).ms).toBe(10_000);
  });

  test("continues after ten seconds without an answer, with a warning: the instance is still being billed", async () => {
    const { ms, lines } = await wait(() => null);
    expect(ms).toBe(10_000 + 10_000);
    expect(lines).toMatchObject([{ level: "warn", event: "withdraw", generation: 7 }]);
  });

  test("stops immediately when the program ends", async () => {
    const stop = new AbortController();
    const { ms, lines } = await wait(
      (n) => {
        if (n === 3) stop.abort();
        return null;
      },
      10_000,
      stop.signal,
    );
    expect(ms).toBe(200);
    expect(lines).toEqual([]);
  });
});

test("nobody listens only when every port refuses a connection", async () => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await isNobodyListening([port, 1], patientClock)).toBe(false);
  await new Promise((closed) => server.close(closed));
  expect(await isNobodyListening([port, 1], patientClock)).toBe(true);
});
