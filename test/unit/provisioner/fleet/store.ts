// The store of a fleet on the simulated Redis, for the tests of what uses it. Touches nothing.
import { createFleetPacing, type FleetStore } from "../../../../provisioner/fleet/pacing.ts";
import { createTurnStore, type Place } from "../../../../provisioner/fleet/turns.ts";
import { createUnavailable, createUpdating, type MaxUnavailable } from "../../../../provisioner/fleet/unavailable.ts";
import { createPacing } from "../../../../provisioner/vast/pacing.ts";
import { type FakeClock, fakeClock } from "../../../fakes/fake-clock.ts";
import { type SharedRedis, sharedRedis } from "../../../simulation/redis.ts";
import { fakeLog } from "../fakes.ts";

export interface Members {
  clock: FakeClock;
  redis: SharedRedis;
  member(name: string, maxUnavailable?: MaxUnavailable): FleetStore;
  /** A pod's pacing, and its place in the queue of the creates. */
  pod(name: string, index?: number, fleetSize?: number, maxUnavailable?: MaxUnavailable): ReturnType<typeof podOf>;
}

export function members(): Members {
  const clock = fakeClock();
  const redis = sharedRedis(clock.now);
  const connection = redis.connect(clock.sleep);
  const member: Members["member"] = (name, maxUnavailable = { percent: 10 }) => {
    const parts = { redis: connection, apiKey: () => "key", member: name };
    return {
      turns: createTurnStore({ ...parts, egress: "all" }),
      unavailable: createUnavailable({ ...parts, maxUnavailable, apartMs: 4650 }),
      updating: createUpdating({ ...parts, most: 1 }),
    };
  };
  const pod: Members["pod"] = (name, index = 0, size = 0, maxUnavailable = { percent: 10 }) =>
    podOf(clock, member(name, maxUnavailable), index, size);
  return { clock, redis, member, pod };
}

function podOf(clock: FakeClock, store: FleetStore, index: number, size: number) {
  const place: Place = { class: 1, since: 0 };
  const destroyPlace: Place = { class: 1, since: 0 };
  const places = { createPlace: place, destroyPlace };
  const local = createPacing(clock, () => 0);
  const fleet = { size };
  const { log } = fakeLog();
  return {
    place,
    destroyPlace,
    store,
    fleet,
    pacing: createFleetPacing({ clock, log, local, store: () => store, ...places, index, fleet }),
  };
}
