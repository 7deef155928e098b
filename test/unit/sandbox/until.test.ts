import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { until } from "../../sandbox/until.ts";

test("answers what the condition answered first that is not false, null or undefined", async () => {
  const answers = [undefined, null, false, 0];
  expect(await until("there is an answer", () => answers.shift(), { clock: steppingClock() })).toBe(0);
  expect(answers).toEqual([]);
});

test("asks for the last time at the deadline and then says what it waited for", async () => {
  const clock = steppingClock();
  const asked: number[] = [];
  const waiting = until("pigs fly", () => asked.push(clock.now()) < 0, { clock, timeoutMs: 100, everyMs: 50 });
  await expect(waiting).rejects.toThrow("waited 100 ms in vain until pigs fly");
  expect(asked).toEqual([0, 50, 100]);
});

test("a condition that throws is asked again, and its last error is told with the context", async () => {
  const condition = () => {
    throw new Error("connection refused");
  };
  const options = { clock: steppingClock(), timeoutMs: 50, context: () => "last line of the log" };
  await expect(until("it answers", condition, options)).rejects.toThrow(
    /until it answers \(connection refused\)\nlast line of the log/,
  );
});

test("ends with the reason of an aborted signal", async () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  await expect(until("x", () => true, { signal: abort.signal })).rejects.toThrow("enough");
});
