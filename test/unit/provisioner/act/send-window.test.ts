import { expect, test } from "vitest";
import { openSendWindow } from "../../../../provisioner/act/send-window.ts";
import {
  CREATE_DEADLINE_MS,
  CREATE_WAIT_MS,
  LEASE_MS,
  SEND_WITHIN_MS,
} from "../../../../provisioner/model/deadlines.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

test("a mutation may be sent for half a minute after it was written down", async () => {
  const clock = fakeClock();
  const mayBeSent = openSendWindow(clock);
  await clock.advance(SEND_WITHIN_MS - 1);
  expect(mayBeSent()).toBe(true);
  await clock.advance(1);
  expect(mayBeSent()).toBe(false);
});

test("the window is closed after a suspension in which the monotonic clock stood still", () => {
  let now = 1_000_000;
  const mayBeSent = openSendWindow({ now: () => now, monotonic: () => 5, sleep: async () => undefined });
  now += 600_000;
  expect(mayBeSent()).toBe(false);
});

test("the window is longer than the wait for the rate limit, and ends well before the lease and the intent", () => {
  expect(SEND_WITHIN_MS).toBeGreaterThan(CREATE_WAIT_MS);
  expect(SEND_WITHIN_MS).toBeLessThanOrEqual(LEASE_MS / 2);
  expect(SEND_WITHIN_MS).toBeLessThan(CREATE_DEADLINE_MS);
});
