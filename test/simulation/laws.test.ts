// Each law fails when the program has the bug that it is meant to find. A law that cannot fail proves nothing.
import type { AxiosAdapter } from "axios";
import { expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { isObject, type JsonObject, parseJson } from "../emulator/json.ts";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { judge } from "./laws/all.ts";
import { moneyOf } from "./laws/money.ts";
import { forgetful, isList, rowsOf, withCalls } from "./planted-calls.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, podKilled, scenarioWith } from "./scenario-with.ts";
import { type RunOptions, simulate } from "./simulation.ts";

/** The names of the broken laws, each once. Probes are held where nothing happens, except in `withEachProbe`. */
async function broken(
  scenario: Scenario,
  plant: (dependencies: Dependencies) => Dependencies,
  options: RunOptions = { holdProbesMs: HOLD_PROBES_MS },
): Promise<string[]> {
  const { truth } = await simulate(scenario, { ...options, alter: plant });
  return [...new Set(judge(truth).map((breach) => breach.law))];
}

const withEachProbe: RunOptions = {};
const healthy = (dependencies: Dependencies) => dependencies;

test("law 1: a program that sees only the first row leaves two instances", async () => {
  const scenario = scenarioWith([{ kind: "twin", at: 10 * MINUTE_MS, pod: 0 }]);
  const seesOne = withCalls(async (call, pass) => {
    if (!isList(call)) return "pass";
    const answer = await pass();
    const instances = rowsOf(answer).slice(0, 1);
    return { ...answer, instances, instances_found: instances.length, total_instances: instances.length };
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, seesOne)).toEqual(["two-instances", "nothing-left"]);
});

test("law 2: a program that compares labels loosely changes foreign instances", async () => {
  const loose = (dependencies: Dependencies): Dependencies => {
    const { adapter } = dependencies;
    if (adapter === undefined) throw new Error("a simulated dependencies has an adapter");
    const changed: AxiosAdapter = async (config) => {
      if (!isList({ method: (config.method ?? "get").toUpperCase(), path: config.url ?? "" })) return adapter(config);
      const response = await adapter({ ...config, params: {} });
      const parsed = parseJson(String(response.data));
      const rows = isObject(parsed) ? rowsOf(parsed) : [];
      const alike = rows.filter((row) => String(row.label).startsWith("k8s_pod=vast-pod-0"));
      const instances = alike.map((row) => ({ ...row, label: "k8s_pod=vast-pod-0" }));
      return { ...response, data: JSON.stringify({ instances, total_instances: instances.length }) };
    };
    return { ...dependencies, adapter: changed };
  };
  expect(await broken(scenarioWith([]), loose)).toContain("others-untouched");
});

test("law 3: a program that misreads the image destroys a healthy instance", async () => {
  const misreads = withCalls(async (call, pass) => {
    if (!isList(call)) return "pass";
    const answer = await pass();
    const instances = rowsOf(answer).map((row) =>
      Number(row.duration) > 600 ? { ...row, image_uuid: "example/app" } : row,
    );
    return { ...answer, instances };
  });
  expect(await broken(scenarioWith([]), misreads)).toContain("good-kept");
});

test("law 4: a program that does not destroy a replaced instance leaves it billed", async () => {
  const scenario = scenarioWith([instanceEvent(10, "exit")]);
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, forgetful())).toContain("nothing-left");
});

test("law 5: a program that never trusts its probe serves nothing after the faults", async () => {
  const doubts = (dependencies: Dependencies): Dependencies => ({
    ...dependencies,
    probe: async (...probed) => ({ ...(await dependencies.probe(...probed)), ok: false, tcp: false }),
  });
  expect(await broken(scenarioWith([]), doubts)).toContain("serving-again");
});

test("law 6: a program that forgets its creates at a restart makes too many", async () => {
  const injections = Array.from({ length: 9 }, (_, i): Injection[] => [
    instanceEvent(4 + 6 * i, "kill"),
    podKilled(3 + 6 * i, false),
  ]).flat();
  const forgets = (dependencies: Dependencies): Dependencies => ({
    ...dependencies,
    disk: {
      ...dependencies.disk,
      write: (path, text, mode) =>
        dependencies.disk.write(path, text.replace(/"creates":\[[^\]]*\]/, '"creates":[]'), mode),
    },
  });
  expect(await broken(scenarioWith(injections), healthy)).toEqual([]);
  expect(await broken(scenarioWith(injections), forgets)).toContain("budget");
});

test("law 7: an instance that is not serving is waste, a serving one is not", async () => {
  const well = moneyOf((await simulate(scenarioWith([]), {})).truth);
  expect(well.waste).toBe(0);
  expect(well.boot).toBeGreaterThan(0);
  expect(well.boot / well.paid).toBeLessThan(0.02);
  const muted = moneyOf((await simulate(scenarioWith([instanceEvent(2, "mute")], { faultyMinutes: 15 }), {})).truth);
  expect(muted.waste).toBeGreaterThan(0);
});

test("law 8: a program that mistakes another process' lease for its own acts beside it", async () => {
  const injections: Injection[] = [
    { kind: "overlap", at: 10 * MINUTE_MS, pod: 0, forMs: 40 * MINUTE_MS },
    // Both see the row for long enough that both want to destroy it.
    {
      kind: "api-fault",
      at: 10 * MINUTE_MS,
      forMs: 40 * MINUTE_MS,
      rule: { method: "DELETE", path: "^/api/v0/instances/", times: 0, effect: { kind: "linger", seconds: 60 } },
    },
    instanceEvent(15, "exit"),
    instanceEvent(30, "exit"),
  ];
  const scenario = scenarioWith(injections, { env: { BLACKLIST_ENABLED: "true" } });
  const grabs = (dependencies: Dependencies): Dependencies => ({
    ...dependencies,
    connectRedis: async (url, log) => ({
      ...(await dependencies.connectRedis(url, log)),
      claim: async (_key, _mine, value) => ({ value, leftMs: 60_000 }),
      setWhileMine: async () => true,
    }),
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, grabs)).toContain("one-owner");
});

test("law 9: a program that takes a refused destroy for a sent one serves nothing from an instance that answers", async () => {
  const scopes = ["misc", "user_read", "instance_read"];
  const injections: Injection[] = [
    { kind: "account", at: 9 * MINUTE_MS, forMs: 50 * MINUTE_MS, set: { scopes }, back: { scopes: null } },
    { kind: "image", at: 10 * MINUTE_MS, image: "example/app:2", losesDisk: false },
  ];
  const mistakes = (dependencies: Dependencies): Dependencies => {
    const { adapter } = dependencies;
    if (adapter === undefined) throw new Error("simulated dependencies have an adapter");
    const changed: AxiosAdapter = async (config) => {
      const answer = await adapter(config);
      return config.method === "DELETE" && answer.status === 403 ? { ...answer, status: 502 } : answer;
    };
    return { ...dependencies, adapter: changed };
  };
  expect(await broken(scenarioWith(injections), healthy)).toEqual([]);
  expect(await broken(scenarioWith(injections), mistakes)).toContain("serves-or-ends");
});

test("law 10: a program that takes a destroy for done when it is stopped leaves an instance billed", async () => {
  const rules = [
    { method: "GET", path: "^/api/v1/instances/", times: 2, effect: { status: 502 } },
    { method: "DELETE", path: "^/api/v0/instances/", times: 2, effect: { status: 403 } },
  ];
  const end: Injection = { kind: "end", at: 10 * MINUTE_MS, pod: 0, rules, diskFull: true, downMs: 3000 };
  const scenario = scenarioWith([end], { env: { VAST_ON_TERMINATE: "destroy" } });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, forgetful())).toContain("ordered-end");
});

test("law 11: a program whose probes wait for the API's answers serves a dead instance for too long", async () => {
  const slowList = {
    method: "GET",
    path: "^/api/v1/instances/",
    times: 0,
    effect: { kind: "slow-body", bytesPerSecond: 5 },
  };
  const injections: Injection[] = [
    { kind: "api-fault", at: 10 * MINUTE_MS, forMs: 10 * MINUTE_MS, rule: slowList },
    instanceEvent(12, "exit"),
  ];
  const waits = (dependencies: Dependencies): Dependencies => {
    const { adapter, probe } = dependencies;
    if (adapter === undefined) throw new Error("a simulated dependencies has an adapter");
    let call: Promise<unknown> = Promise.resolve();
    return {
      ...dependencies,
      adapter: (config) => {
        const answer = adapter(config);
        call = answer.catch(() => null);
        return answer;
      },
      probe: async (...probed) => {
        await call;
        return probe(...probed);
      },
    };
  };
  expect(await broken(scenarioWith(injections), healthy, withEachProbe)).toEqual([]);
  expect(await broken(scenarioWith(injections), waits, withEachProbe)).toContain("dead-dropped");
});

test("law 12: a program that forgets why it replaced an instance replaces one after the other", async () => {
  const images = { "example/app:1": { runningAs: "example/app:1@sha256:4e17" } };
  const scenario = scenarioWith([], { emulator: { images } });
  const memory = /"converging":\{[^}]*\}|"replacements":\[[^\]]*\]/g;
  const forgets = (dependencies: Dependencies): Dependencies => ({
    ...dependencies,
    disk: {
      ...dependencies.disk,
      write: (path, text, mode) =>
        dependencies.disk.write(
          path,
          text.replace(memory, (part) => `${part.split(":")[0]}:${part.includes("[") ? "[]" : "null"}`),
          mode,
        ),
    },
  });
  const restarts = Array.from({ length: 9 }, (_, i) => podKilled(3 + 6 * i, false));
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken({ ...scenario, injections: restarts }, healthy)).toEqual([]);
  expect(await broken({ ...scenario, injections: restarts }, forgets)).toContain("no-loop");
});

test("law 13: a program that believes what it sent serves a container that was never changed", async () => {
  // The template is taken, and the container is created again as it was.
  const effect = { kind: "answer", status: 200, body: { success: true } };
  const rule = { method: "PUT", path: "^/api/v0/instances/update_template/", times: 0, effect };
  const scenario = scenarioWith(
    [
      { kind: "api-fault", at: 10 * MINUTE_MS, forMs: 20 * MINUTE_MS, rule },
      { kind: "template", at: 11 * MINUTE_MS, readme: "edited" },
    ],
    { inPlacePods: [0], emulator: { bootSeconds: 20 } },
  );
  let hash: unknown = null;
  let recycled = false;
  const believes = withCalls(async (call, pass) => {
    if (call.path.includes("/recycle/")) recycled = true;
    if (call.path === "/api/v0/template/") {
      const answer = await pass();
      if (Array.isArray(answer.templates)) hash = answer.templates.filter(isObject)[0]?.hash_id;
      return answer;
    }
    if (!isList(call) || !recycled) return "pass";
    const answer = await pass();
    return { ...answer, instances: rowsOf(answer).map((row) => ({ ...row, template_hash_id: String(hash) })) };
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, believes)).toContain("update-shown");
});

test("law 14: a program that does not see when a contract ends serves until then", async () => {
  const endsIn = instanceEvent(5, "ends-in", { seconds: 3000 });
  const scenario = scenarioWith([endsIn]);
  const blind = withCalls(async (call, pass) => {
    if (!isList(call)) return "pass";
    const answer = await pass();
    return { ...answer, instances: rowsOf(answer).map((row) => ({ ...row, end_date: null })) };
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, blind)).toContain("contract-ends");
});

test("law 14: a program that rents what ends soon rents again and again", async () => {
  const short = scenarioWith([{ kind: "short-offers", at: 0, offers: 40, seconds: 1500 }]);
  const careless = (dependencies: Dependencies): Dependencies => {
    const { adapter } = dependencies;
    if (adapter === undefined) throw new Error("a simulated dependencies has an adapter");
    const changed: AxiosAdapter = async (config) => {
      if (!config.url?.includes("/bundles/")) return adapter(config);
      const body = parseJson(String(config.data));
      const loose = isObject(body) ? { ...body, duration: { gt: 0 } } : {};
      const response = await adapter({ ...config, data: JSON.stringify(loose) });
      const answer = parseJson(String(response.data));
      const offers = isObject(answer) && Array.isArray(answer.offers) ? answer.offers.filter(isObject) : [];
      return {
        ...response,
        data: JSON.stringify({ offers: offers.map((row) => ({ ...row, duration: 90 * 86_400 })) }),
      };
    };
    return { ...dependencies, adapter: changed };
  };
  expect(await broken(short, healthy)).toEqual([]);
  expect(await broken(short, careless)).toContain("contract-ends");
});

test("law 15: a program that forgets what served before an update loses the instance to a typo in the image", async () => {
  const image = (at: number, name: string): Injection => ({
    kind: "image",
    at: at * MINUTE_MS,
    image: name,
    losesDisk: false,
  });
  const scenario = scenarioWith([image(10, "example/app:typo"), image(30, "example/app:2")], {
    inPlacePods: [0],
    emulator: { images: { "example/app:typo": { failure: "manifest unknown" } } },
  });
  // The state is read only at a start.
  const crashes: Injection[] = Array.from({ length: 40 }, (_, i) => podKilled(10.2 + i * 0.1, false));
  const forgets = (dependencies: Dependencies): Dependencies => ({
    ...dependencies,
    disk: {
      ...dependencies.disk,
      write: (path, text, mode) =>
        dependencies.disk.write(path, text.replace(/"before":\{[^}]*\}/, '"before":null'), mode),
    },
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken({ ...scenario, injections: [...scenario.injections, ...crashes] }, healthy)).toEqual([]);
  expect(await broken({ ...scenario, injections: [...scenario.injections, ...crashes] }, forgets)).toContain(
    "typo-undone",
  );
});

test("law 16: a program that misreads a price accepts one above its ceiling", async () => {
  const env = { VAST_PRICE_INCREASE: "accept-under-max", VAST_MAX_DPH: "2" };
  const asks = (gpuPerHour: number) => scenarioWith([instanceEvent(3, "price-increase", { gpuPerHour })], { env });
  const halves = withCalls(async ({ path }, pass) => {
    if (!path.endsWith("/pending-price-increases/")) return "pass";
    const answer = await pass();
    const rows = Array.isArray(answer.pending_price_increases) ? answer.pending_price_increases.filter(isObject) : [];
    const halved = rows.map((row) => ({ ...row, new_gpu_costpersec: Number(row.new_gpu_costpersec) / 2 }));
    return { ...answer, pending_price_increases: halved };
  });
  const { truth } = await simulate(asks(1), {});
  expect(truth.acceptedPrices).toHaveLength(1);
  expect(judge(truth)).toEqual([]);
  expect(await broken(asks(3), healthy)).toEqual([]);
  expect(await broken(asks(3), halves)).toEqual(["price-ceiling"]);
});

test("law 20: a program that believes the first search for ever gives up what serves without another one in sight", async () => {
  const image: Injection = { kind: "image", at: 20 * MINUTE_MS, image: "example/app:2", losesDisk: false };
  const believes = () => {
    let first: JsonObject | null = null;
    return withCalls(async (call, pass) => {
      if (!call.path.includes("/bundles/")) return "pass";
      first ??= await pass();
      return first;
    });
  };
  expect(await broken(scenarioWith([image]), healthy)).toEqual([]);
  expect(await broken(scenarioWith([image]), believes())).toEqual(["offer-first"]);
  expect(await broken(scenarioWith([image], { uncheckedPods: [0] }), believes())).toEqual([]);
});

test("law 21: a program that takes a rehearsal for done without sending it withdraws what serves again and again", async () => {
  const scopes = ["misc", "user_read", "instance_read"];
  const injections: Injection[] = [
    { kind: "account", at: 9 * MINUTE_MS, forMs: 30 * MINUTE_MS, set: { scopes }, back: { scopes: null } },
    { kind: "image", at: 10 * MINUTE_MS, image: "example/app:2", losesDisk: false },
  ];
  const believes = withCalls(async ({ method, path }) => {
    return method === "PUT" && /^\/api\/v0\/instances\/\d+\/$/.test(path) ? { success: true } : "pass";
  });
  for (const inPlacePods of [[], [0]]) {
    expect(await broken(scenarioWith(injections, { inPlacePods }), healthy)).toEqual([]);
    expect(await broken(scenarioWith(injections, { inPlacePods }), believes)).toEqual(["refused-once"]);
  }
});
