import { expect, test } from "vitest";
import { virtualTime } from "../../simulation/virtual-time.ts";

const nothing = { nextAt: () => null, happen: () => undefined };

test("timers run in order of time, or of adding for the same instant, and time stops at the end", async () => {
  const time = virtualTime(1000);
  const ran: string[] = [];
  time.after(20, () => ran.push(`b ${time.now()}`));
  time.after(10, () => ran.push(`a ${time.now()}`));
  time.after(20, () => ran.push(`c ${time.now()}`));
  time.after(51, () => ran.push("never"));
  await time.runUntil(1050, nothing);
  expect(ran).toEqual(["a 1010", "b 1020", "c 1020"]);
  expect(time.now()).toBe(1050);
});

test("a cancelled timer does not run", async () => {
  const time = virtualTime(0);
  let ran = false;
  time.after(5, () => {
    ran = true;
  })();
  await time.runUntil(10, nothing);
  expect(ran).toBe(false);
});

test("between two events every program runs until it waits for time", async () => {
  const time = virtualTime(0);
  const ran: string[] = [];
  const program = async () => {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
    ran.push(`ready at ${time.now()}`);
    time.after(1, () => ran.push(`woken at ${time.now()}`));
  };
  time.after(10, () => void program());
  time.after(11, () => ran.push("other at 11"));
  await time.runUntil(20, nothing);
  expect(ran).toEqual(["ready at 10", "other at 11", "woken at 11"]);
});

test("the time is a whole number of ms, although outside events happen in between", async () => {
  const time = virtualTime(0);
  const events = [3.2, 7.9];
  const seen: number[] = [];
  await time.runUntil(10, {
    nextAt: () => events[0] ?? null,
    happen: () => {
      events.shift();
      seen.push(time.now());
    },
  });
  expect(seen).toEqual([4, 8]);
});
