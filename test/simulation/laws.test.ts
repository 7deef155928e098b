// Each law fails when the program has the bug that it is there for: a law that cannot fail proves nothing.
import type { AxiosAdapter } from "axios";
import { expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { isObject, type JsonObject, parseJson } from "../emulator/json.ts";
import { judge } from "./laws/all.ts";
import { moneyOf } from "./laws/money.ts";
import { happens, killed, MINUTE_MS, quietRun } from "./quiet-run.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { simulate } from "./simulation.ts";

/** The laws that are broken, each once. */
async function broken(scenario: Scenario, plant: (world: Dependencies) => Dependencies): Promise<string[]> {
  const { truth } = await simulate(scenario, { alter: plant });
  return [...new Set(judge(truth).map((breach) => breach.law))];
}

const healthy = (world: Dependencies) => world;

/** A program whose calls go through `change`, which may answer itself or change the answer's JSON. */
function withCalls(
  change: (
    call: { method: string; path: string },
    pass: () => Promise<JsonObject>,
  ) => Promise<JsonObject | "pass"> | "pass",
) {
  return (world: Dependencies): Dependencies => {
    const { adapter } = world;
    if (adapter === undefined) throw new Error("a simulated world has an adapter");
    const changed: AxiosAdapter = async (config) => {
      const pass = async () => {
        const parsed = parseJson(String((await adapter(config)).data));
        return isObject(parsed) ? parsed : {};
      };
      const call = { method: (config.method ?? "get").toUpperCase(), path: config.url ?? "" };
      const answer = await change(call, pass);
      if (answer === "pass") return adapter(config);
      return { data: JSON.stringify(answer), status: 200, statusText: "", headers: {}, config };
    };
    return { ...world, adapter: changed };
  };
}

const rowsOf = (answer: JsonObject) => (Array.isArray(answer.instances) ? answer.instances.filter(isObject) : []);
const isList = (call: { method: string; path: string }) => call.method === "GET" && call.path === "/api/v1/instances/";

test("law 1: a program that sees only the first row leaves two instances", async () => {
  const scenario = quietRun([{ kind: "twin", at: 10 * MINUTE_MS, pod: 0 }]);
  const seesOne = withCalls(async (call, pass) => {
    if (!isList(call)) return "pass";
    const answer = await pass();
    const instances = rowsOf(answer).slice(0, 1);
    return { ...answer, instances, instances_found: instances.length, total_instances: instances.length };
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, seesOne)).toEqual(["two-instances", "nothing-left"]);
});

test("law 2: a program that compares labels loosely touches what is not its own", async () => {
  const loose = (world: Dependencies): Dependencies => {
    const { adapter } = world;
    if (adapter === undefined) throw new Error("a simulated world has an adapter");
    const changed: AxiosAdapter = async (config) => {
      if (!isList({ method: (config.method ?? "get").toUpperCase(), path: config.url ?? "" })) return adapter(config);
      const response = await adapter({ ...config, params: {} });
      const parsed = parseJson(String(response.data));
      const rows = isObject(parsed) ? rowsOf(parsed) : [];
      const alike = rows.filter((row) => String(row.label).startsWith("k8s_pod=vast-pod-0"));
      const instances = alike.map((row) => ({ ...row, label: "k8s_pod=vast-pod-0" }));
      return { ...response, data: JSON.stringify({ instances, total_instances: instances.length }) };
    };
    return { ...world, adapter: changed };
  };
  expect(await broken(quietRun([]), loose)).toContain("others-untouched");
});

test("law 3: a program that takes another word for the image ends a good instance", async () => {
  const misreads = withCalls(async (call, pass) => {
    if (!isList(call)) return "pass";
    const answer = await pass();
    const instances = rowsOf(answer).map((row) =>
      Number(row.duration) > 600 ? { ...row, image_uuid: "example/app" } : row,
    );
    return { ...answer, instances };
  });
  expect(await broken(quietRun([]), misreads)).toContain("good-kept");
});

test("law 4: a program that does not destroy what it replaces leaves it billing", async () => {
  const scenario = quietRun([happens(10, "exit")]);
  const hides = new Set<number>();
  const forgets = withCalls(async (call, pass) => {
    if (call.method === "DELETE") {
      hides.add(Number(/\d+/.exec(call.path.slice(8))?.[0]));
      return { success: true };
    }
    if (!isList(call)) return "pass";
    const answer = await pass();
    const instances = rowsOf(answer).filter((row) => !hides.has(Number(row.id)));
    return { ...answer, instances, instances_found: instances.length, total_instances: instances.length };
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, forgets)).toContain("nothing-left");
});

test("law 5: a program that never believes its probe serves nothing after the faults", async () => {
  const doubts = (world: Dependencies): Dependencies => ({
    ...world,
    probe: async (endpoint, signal) => ({ ...(await world.probe(endpoint, signal)), ok: false, tcp: false }),
  });
  expect(await broken(quietRun([]), doubts)).toContain("serving-again");
});

test("law 6: a program that forgets its creates with its process makes too many", async () => {
  const injections = Array.from({ length: 9 }, (_, i): Injection[] => [
    happens(4 + 6 * i, "kill"),
    killed(3 + 6 * i, false),
  ]).flat();
  const forgets = (world: Dependencies): Dependencies => ({
    ...world,
    disk: {
      ...world.disk,
      write: (path, text, mode) => world.disk.write(path, text.replace(/"creates":\[[^\]]*\]/, '"creates":[]'), mode),
    },
  });
  expect(await broken(quietRun(injections), healthy)).toEqual([]);
  expect(await broken(quietRun(injections), forgets)).toContain("budget");
});

test("law 7: an instance that serves nobody is waste, one that serves is not", async () => {
  const well = moneyOf((await simulate(quietRun([]), {})).truth);
  expect(well.waste).toBe(0);
  expect(well.boot).toBeGreaterThan(0);
  expect(well.boot / well.paid).toBeLessThan(0.02);
  const muted = moneyOf((await simulate(quietRun([happens(2, "mute")], { faultyMinutes: 15 }), {})).truth);
  expect(muted.waste).toBeGreaterThan(0);
});

test("law 8: a program that takes another's lease for its own acts beside it", async () => {
  const injections: Injection[] = [
    { kind: "overlap", at: 10 * MINUTE_MS, pod: 0, forMs: 40 * MINUTE_MS },
    happens(15, "exit"),
    happens(30, "exit"),
  ];
  const scenario = quietRun(injections, { env: { BLACKLIST_ENABLED: "true" } });
  const grabs = (world: Dependencies): Dependencies => ({
    ...world,
    connectRedis: async (url, log) => ({
      ...(await world.connectRedis(url, log)),
      claim: async (_key, _mine, value) => ({ before: value, leftMs: 1000 }),
    }),
  });
  expect(await broken(scenario, healthy)).toEqual([]);
  expect(await broken(scenario, grabs)).toContain("one-owner");
});
