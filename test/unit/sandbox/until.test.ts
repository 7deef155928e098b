import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { until } from "../../sandbox/until.ts";

test("returns the first value that is not false, null or undefined", async () => {
  const answers = [undefined, null, false, 0];
  expect(await until("there is an answer", () => answers.shift(), { clock: steppingClock() })).toBe(0);
  expect(answers).toEqual([]);
});

test("checks once more at the deadline, then throws an error that says what it waited for", async () => {
  const clock = steppingClock();
  const checks: number[] = [];
  const waiting = until("pigs fly", () => checks.push(clock.now()) < 0, { clock, timeoutMs: 100, everyMs: 50 });
  await expect(waiting).rejects.toThrow("timed out after 100 ms waiting until pigs fly");
  expect(checks).toEqual([0, 50, 100]);
});

test("a condition that throws is checked again, and the error has its last message and the context", async () => {
  const condition = () => {
    throw new Error("connection refused");
  };
  const options = { clock: steppingClock(), timeoutMs: 50, context: () => "last line of the log" };
  await expect(until("it answers", condition, options)).rejects.toThrow(
    /until it answers \(connection refused\)\nlast line of the log/,
  );
});

test("throws the reason of an aborted signal", async () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  await expect(until("x", () => true, { signal: abort.signal })).rejects.toThrow("enough");
});
