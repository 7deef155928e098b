import { expect, test } from "vitest";
import { shareProbe } from "../../../../provisioner/observe/shared-probe.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { endpoint, failing, SECOND } from "../plan/situation.ts";

function shared() {
  const clock = fakeClock();
  const probed: number[] = [];
  const probe = shareProbe(async (where) => {
    probed.push(where.port);
    await clock.sleep(5 * SECOND);
    return failing(where);
  });
  return { clock, probed, probe };
}

test("a probe in flight is shared: one connection and one result", async () => {
  const { clock, probed, probe } = shared();
  const both = Promise.all([probe(endpoint, 1), probe({ ...endpoint }, 1)]);
  const [one, other] = await clock.drive(both);
  expect(one).toBe(other);
  expect(probed).toEqual([41234]);
});

test("another endpoint, or the same one later, is probed anew", async () => {
  const { clock, probed, probe } = shared();
  await clock.drive(Promise.all([probe(endpoint, 1), probe({ ...endpoint, port: 50000 }, 1)]));
  await clock.drive(probe(endpoint, 1));
  expect(probed).toEqual([41234, 50000, 41234]);
});
