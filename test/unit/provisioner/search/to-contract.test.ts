// From the setting's text to a contract, with the emulator's own search and market in between.
import { describe, expect, test } from "vitest";
import { createOne } from "../../../../provisioner/act/create.ts";
import { noPodTurns } from "../../../../provisioner/fleet/pod-turns.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import { readProvisionerSettings } from "../../../../provisioner/settings.ts";
import { createVastClient } from "../../../../provisioner/vast/client.ts";
import type { Send } from "../../../../provisioner/vast/transport.ts";
import type { Json, JsonObject } from "../../../emulator/json.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { jsonParameter, rowsOf, type Trial, trial } from "../../emulator/harness.ts";
import { fakeDisk, fakeLog, never, ownMarket, ownReadings } from "../fakes.ts";
import { createAction, NOW, observation, state, unknown } from "../plan/situation.ts";

const ENV = {
  POD_NAME: "vast-pod-0",
  VAST_API_KEY: "emulator-key",
  VAST_TEMPLATE_NAME: "demo",
  VAST_TEMPLATE_IMAGE: "example/app:2",
  DOCKER_LOGIN: "none",
};

/** What one create makes of these settings on a market of these offers. */
async function create(env: Record<string, string>, market: JsonObject[], bans: readonly number[] = []) {
  const t = trial({ machines: 0 });
  t.order("PUT", "offers", market);
  const settings = readProvisionerSettings({ env: { ...ENV, ...env }, flags: {}, readFile: () => "" });
  const client = createVastClient(sendTo(t));
  const clock = fakeClock(NOW);
  const { state: after } = await createOne(
    {
      client,
      recordsOf: async () => ({}),
      market: ownMarket(client, clock),
      turns: noPodTurns,
      readings: ownReadings(client, clock),
      clock,
      log: fakeLog().log,
      desired: settings.desired,
      query: settings.query,
      imageLogin: () => null,
      save: fakeDisk([]).save,
      mayMutate: async () => true,
      pauses: { totalMs: () => 0 },
      nextCreateSlot: (notBefore) => notBefore,
    },
    { ...createAction, maxDollarsPerHour: settings.limits.maxDollarsPerHour ?? null },
    observation([], {
      template: unknown(),
      templateAt: 0,
      bans: known(bans.map((id) => ({ kind: "host" as const, id, reason: "start_timeout" }))),
    }),
    state(),
    never,
  );
  const [instance] = rowsOf(t.api("GET", "/api/v1/instances/"), "instances");
  return { instance, message: after.backoff?.message ?? null };
}

function sendTo(t: Trial): Send {
  return async ({ method, path, query, body }) => {
    const search = Object.entries(query ?? {})
      .map(([name, value]) => `${name}=${typeof value === "string" ? value : jsonParameter(value as Json)}`)
      .join("&");
    const answer = t.api(method, search === "" ? path : `${path}?${search}`, body as Json | undefined);
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  };
}

const market = [
  { machine_id: 1, gpu_name: "RTX 3090", dph_total: 0.2 },
  { machine_id: 2, gpu_name: "RTX 4090", dph_total: 0.5 },
  { machine_id: 3, gpu_name: "RTX 4090", dph_total: 0.4 },
  { machine_id: 4, gpu_name: "RTX 4090", dph_total: 0.3, verification: "unverified" },
  { machine_id: 5, gpu_name: "RTX 4090", dph_total: 0.3, direct_port_count: 1 },
  { machine_id: 6, gpu_name: "RTX 4090", dph_total: 0.3, duration: 7200 },
  { machine_id: 7, gpu_name: "RTX 4090", dph_total: 0.3, disk_space: 9 },
  { machine_id: 8, gpu_name: "RTX 4090", dph_total: 0.3, host_id: 66 },
];

describe("a query in the official command line's grammar", () => {
  test("rents the first matching offer in the requested order, verified as by default in that command line", async () => {
    const query = { VAST_SEARCH_QUERY: "gpu_name=RTX_4090 gpu_ram>=23 num_gpus=1" };
    const cheapest = await create({ ...query, VAST_SEARCH_ORDER: "dph" }, market, [66]);
    expect(cheapest.instance).toMatchObject({ machine_id: 3, gpu_name: "RTX 4090", label: "k8s_pod=vast-pod-0" });
    const dearest = await create({ ...query, VAST_SEARCH_ORDER: "dph-" }, market, [66]);
    expect(dearest.instance).toMatchObject({ machine_id: 2 });
  });

  test("is the same search as its filters in JSON", async () => {
    const text = await create(
      { VAST_SEARCH_QUERY: "verified=any duration>0 gpu_name=RTX_4090", VAST_SEARCH_ORDER: "duration" },
      market,
    );
    const json = {
      duration: { gt: 0 },
      gpu_name: { eq: "RTX 4090" },
      external: { eq: false },
      order: [["duration", "asc"]],
    };
    const same = await create({ VAST_SEARCH_QUERY: JSON.stringify(json) }, market);
    expect(text.instance).toMatchObject({ machine_id: 6 });
    expect(same.instance).toMatchObject({ machine_id: 6 });
  });
});

test("when no offer can be rented, the message names the excluding conditions", async () => {
  const env = { VAST_SEARCH_QUERY: "gpu_name=RTX_4090", VAST_MAX_DPH: "0.35" };
  const { instance, message } = await create(env, market, [66]);
  expect(instance).toBeUndefined();
  expect(message).toBe(
    "no offer can be taken; VAST_SEARCH_QUERY alone finds 5: " +
      "1 with fewer than 2 direct ports, 1 that end within a day, 1 on a banned host, 2 above VAST_MAX_DPH (the cheapest $0.4000/h)",
  );
});

test("when the query alone finds nothing, the message says so", async () => {
  const { message } = await create({ VAST_SEARCH_QUERY: "gpu_name=RTX_9999" }, market);
  expect(message).toMatch(/^VAST_SEARCH_QUERY finds no offer: loosen its filters/);
});
