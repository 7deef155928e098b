import { expect, test } from "vitest";
import { redraw } from "../../../../provisioner/commands/redraw.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

test("draws one screen over the other, ten seconds apart, and never while the next one is read", async () => {
  const clock = fakeClock(0);
  const drawn: string[] = [];
  let times = 0;
  const draw = async () => {
    times += 1;
    if (times === 4) throw new Error("told to end");
    return `screen ${times} at ${clock.now() / 1000} s\n`;
  };
  await expect(clock.drive(redraw(draw, (text) => void drawn.push(text), clock))).rejects.toThrow("told to end");
  expect(drawn).toEqual([
    "\u001b[H\u001b[Jscreen 1 at 0 s\n",
    "\u001b[H\u001b[Jscreen 2 at 10 s\n",
    "\u001b[H\u001b[Jscreen 3 at 20 s\n",
  ]);
});
