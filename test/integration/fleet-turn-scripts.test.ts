// The scripts of the turns on a real Redis and their copies in the simulated one give the same answers to the same random calls. Redis'
// clock runs on between two calls, so all intervals are far longer than the test, and times are compared with that tolerance.
import { expect, test } from "vitest";
import { systemClock } from "../../common/clock.ts";
import {
  COME_UP,
  GO_DOWN,
  LEAVE,
  LEFT,
  OPEN,
  PENALTY,
  SEEN,
  STAY_DOWN,
  TURN,
} from "../../provisioner/fleet/turn-scripts.ts";
import type { RedisScript } from "../../provisioner/redis/commands.ts";
import { type Random, seededRandom } from "../emulator/random.ts";
import { sharedRedis } from "../simulation/redis.ts";
import { useRealRedis } from "./real-redis.ts";

const realRedis = useRealRedis();

const LONG_MS = 1_000_000;
const TOLERANCE_MS = 100_000;

interface Call {
  script: RedisScript;
  keys: string[];
  args: (string | number)[];
}

function drawCall(random: Random, tag: string, began: number): Call {
  const names = (what: string[]) => what.map((name) => `vast-pod:{${tag}}:${name}`);
  const member = `pod-${random.integer(0, 5)}`;
  switch (random.integer(0, 7)) {
    case 0:
      if (random.integer(0, 3) === 0)
        return { script: OPEN, keys: names(["gate", "other gate"]), args: [5 * LONG_MS, LONG_MS] };
      if (random.integer(0, 1) === 0)
        return { script: LEFT, keys: names(["gate"]), args: [random.pick([LONG_MS, 5 * LONG_MS]), 0] };
      return { script: LEAVE, keys: names(["queue", "beats"]), args: [member] };
    case 1: {
      const [wait, threshold] = [random.integer(0, 3) * LONG_MS, random.integer(0, 1) * 7 * LONG_MS];
      return { script: PENALTY, keys: names(["gate"]), args: [wait, threshold, LONG_MS, LONG_MS, 4 * LONG_MS] };
    }
    case 2:
      return { script: SEEN, keys: names(["pods"]), args: [member, LONG_MS] };
    case 3: {
      const args = [member, LONG_MS, random.integer(0, 1) * 40, 2, random.pick([0, 0, 2 * LONG_MS])];
      return { script: GO_DOWN, keys: names(["down", "pods"]), args };
    }
    case 4:
      if (random.integer(0, 3) === 0) {
        const args = [member, began + random.integer(0, 1) * LONG_MS, LONG_MS];
        return { script: STAY_DOWN, keys: names(["down", "pods"]), args };
      }
      return { script: COME_UP, keys: names(["down"]), args: [member] };
    default: {
      // An interval of 0 opens the gate at once: both kinds of answers come.
      const since = random.pick([0, began - random.integer(1, 9) * LONG_MS]);
      const times = [random.pick([0, LONG_MS]), 0, random.pick([LONG_MS, LONG_MS, 0]), random.pick([0, LONG_MS])];
      const far = random.pick([0, 3 * LONG_MS]);
      const args = [member, random.integer(0, 2), since, ...times, random.integer(0, 2), far];
      return { script: TURN, keys: names(["gate", "queue", "beats"]), args };
    }
  }
}

test("the scripts of the turns", async () => {
  const began = Date.now();
  const shown = (answer: unknown): unknown => {
    if (Array.isArray(answer)) return answer.map(shown);
    return typeof answer === "number" && answer > 1000 ? Math.round(answer / TOLERANCE_MS) : answer;
  };
  const answers = new Set<string>();
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seededRandom(seed, "calls");
    const simulated = sharedRedis(Date.now).connect(systemClock.sleep);
    for (let n = 0; n < 200; n += 1) {
      const { script, keys, args } = drawCall(random, String(seed), began);
      const expected = await realRedis().evaluate(script, keys, args);
      const actual = await simulated.evaluate(script, keys, args);
      await systemClock.sleep(2); // two members that came in one millisecond of one clock, and not of the other, would change places
      const what = `call ${n} of seed ${seed}: ${script.name} ${args.join(" ")}`;
      expect([what, shown(actual)]).toEqual([what, shown(expected)]);
      answers.add(`${script.name} ${JSON.stringify(shown(expected))}`);
    }
  }
  expect(answers.size).toBeGreaterThan(30); // the calls had different answers
});
