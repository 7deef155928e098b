import { expect, test } from "vitest";
import { connectBoots } from "../../../../provisioner/commands/fleet-boots.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { type Boot, withBoot } from "../../../../provisioner/state/boots.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { NOW, observation, row, SECOND, state } from "../plan/situation.ts";

const keys = fleetKeys(7);
const IMAGE = row().image;
const boot = (appMs: number, image = IMAGE): Boot => ({ image, bootMs: 60_000, appMs });

function pods() {
  const clock = fakeClock(NOW);
  const redis = sharedRedis(() => NOW);
  const connect = () =>
    connectBoots({ redis: redis.connect(async () => undefined), keys: () => keys, token: "a" }, clock);
  const pod = (boots: Boot[] = [], over: Partial<LoopState> = {}): LoopState => {
    return { ...startState(state({ boots }), NOW), seen: observation([row()]), ...over };
  };
  return { clock, redis, connect, pod };
}

/** Tells the fleet of these starts. */
async function told({ connect, pod }: ReturnType<typeof pods>, boots: Boot[], over: Partial<LoopState> = {}) {
  await connect()(state(), pod(boots, over));
}

test("a pod that knows no start of its image takes those of the fleet, once, and adds its own", async () => {
  const fleet = pods();
  await told(fleet, [boot(1), boot(2), boot(3, "another")]);
  const connected = fleet.connect();
  const loop = fleet.pod();
  await connected(loop.state, loop);
  expect(loop.state.boots).toEqual([boot(1), boot(2)]);
  const before = loop.state;
  loop.state = { ...before, boots: withBoot(before.boots, boot(4)) };
  await connected(before, loop);
  const other = fleet.pod();
  await fleet.connect()(other.state, other);
  expect(other.state.boots).toEqual([boot(1), boot(2), boot(4)]);
});

test("a pod that knows a start of its image keeps to its own, and asks Redis nothing", async () => {
  const fleet = pods();
  await told(fleet, [boot(1)]);
  const loop = fleet.pod([boot(9)]);
  const operations = fleet.redis.operations();
  await fleet.connect()(loop.state, loop);
  expect(loop.state.boots).toEqual([boot(9)]);
  expect(fleet.redis.operations()).toBe(operations);
});

test("while nobody has started the image Redis is asked once a minute", async () => {
  const { clock, redis, connect, pod } = pods();
  const [connected, loop] = [connect(), pod()];
  const asks = async () => {
    const before = redis.operations();
    await connected(loop.state, loop);
    return redis.operations() - before;
  };
  expect([await asks(), await asks()]).toEqual([1, 0]);
  await clock.drive(clock.sleep(60 * SECOND));
  expect(await asks()).toBe(1);
});

test("what was loaded from the state file is not told again", async () => {
  const fleet = pods();
  const loop = fleet.pod([boot(1)]);
  await fleet.connect()(loop.state, loop);
  const other = fleet.pod();
  await fleet.connect()(other.state, other);
  expect(other.state.boots).toEqual([]);
});

test("a provisioner that does not act under the label tells nothing: the other one sees the same start", async () => {
  const fleet = pods();
  await told(fleet, [boot(1)], { ownership: { kind: "other", owner: "b", until: null } });
  const loop = fleet.pod();
  await fleet.connect()(loop.state, loop);
  expect(loop.state.boots).toEqual([]);
});

test("without a fleet, and while Redis is away, a pod goes by its own starts", async () => {
  const { clock, redis, connect, pod } = pods();
  const loop = pod();
  await connectBoots(null, clock)(loop.state, loop);
  redis.away = true;
  await connect()(state(), pod([boot(1)]));
  await connect()(loop.state, loop);
  expect(loop.state.boots).toEqual([]);
});
