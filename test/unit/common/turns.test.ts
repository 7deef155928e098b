import { expect, test } from "vitest";
import { createTurns } from "../../../common/turns.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

test("work is done in the order in which it was handed in, however long each takes", async () => {
  const clock = fakeClock();
  const inTurn = createTurns();
  const done: string[] = [];
  const work = (name: string, ms: number) => async () => {
    await clock.sleep(ms);
    done.push(name);
    return name;
  };
  const all = Promise.all([inTurn(work("slow", 900)), inTurn(work("fast", 1)), inTurn(work("last", 5))]);
  expect(await clock.drive(all)).toEqual(["slow", "fast", "last"]);
  expect(done).toEqual(["slow", "fast", "last"]);
});

test("an error reaches its own caller and nobody else", async () => {
  const inTurn = createTurns();
  const fails = inTurn(async () => {
    throw new Error("full");
  });
  const next = inTurn(async () => 7);
  await expect(fails).rejects.toThrow("full");
  expect(await next).toBe(7);
});
