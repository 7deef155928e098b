import { describe, expect, test } from "vitest";
import type { Disk } from "../../../../common/disk.ts";
import type { StatusSource } from "../../../../common/status-server.ts";
import { formatUpstreamFile } from "../../../../common/upstream-file.ts";
import type { Dependencies } from "../../../../provisioner/commands/dependencies.ts";
import { run } from "../../../../provisioner/commands/run.ts";
import { readProvisionerSettings } from "../../../../provisioner/settings.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fileOf } from "../loop.ts";
import { failing, HASH, LABEL, NOW } from "../plan/situation.ts";

const env = {
  POD_NAME: "vast-pod-0",
  VAST_API_KEY: "sekrit-key-0123",
  VAST_TEMPLATE_NAME: "demo",
  VAST_TEMPLATE_IMAGE: "example/app:2",
  DOCKER_LOGIN: "-u me -p hunter22 registry.example",
  VAST_SEARCH_QUERY: "{}",
  BLACKLIST_ENABLED: "true",
};
// The program is stopped during the list after this many.
const PASSES = 3;
const STATE = "/var/lib/vast-pod/provisioner.json";
const UPSTREAM = "/var/run/vast-pod/upstream.json";

function fakeDisk(files: Map<string, string>): Disk {
  return {
    read: async (path) => files.get(path) ?? null,
    write: async (path, text) => {
      const changed = files.get(path) !== text;
      files.set(path, text);
      return { changed };
    },
    overwrite: async (path, text) => void files.set(path, text),
    prepare: async () => undefined,
    touch: async () => undefined,
    removeStale: async () => undefined,
    move: async (from, to) => {
      files.set(to, files.get(from) ?? "");
      files.delete(from);
    },
  };
}

/** Runs the whole program without real effects; `answer` is the API, by method and path. */
interface Over {
  answer?: (call: string) => [number, object];
  portTaken?: boolean;
  noRedisClient?: boolean;
  env?: Record<string, string>;
  /** What its volumes hold. */
  files?: Map<string, string>;
  passes?: number;
  /** Neither nginx nor the reloader runs when it is told to stop. */
  proxyGone?: boolean;
}

async function runIn(over: Over = {}) {
  const clock = fakeClock(NOW);
  const files = over.files ?? new Map<string, string>();
  const lines: Record<string, unknown>[] = [];
  const redis = { opened: 0, closed: 0 };
  let listening = 0;
  const calls: { call: string; at: number }[] = [];
  const stop = new AbortController();
  let source: StatusSource | null = null;
  const answer = over.answer ?? (() => [200, { instances: [], templates: [], offers: [], id: 9 }]);
  const deps: Dependencies = {
    clock,
    random: () => 0.5,
    disk: fakeDisk(files),
    adapter: async (config) => {
      const call = `${config.method?.toUpperCase()} ${config.url}`;
      calls.push({ call, at: clock.now() });
      if (calls.filter((one) => one.call.startsWith("GET /api/v1/instances")).length > (over.passes ?? PASSES))
        stop.abort();
      const [status, body] = answer(call);
      return { data: JSON.stringify(body), status, statusText: "", headers: {}, config };
    },
    connectRedis: async () => {
      if (over.noRedisClient) throw new Error("no client");
      redis.opened += 1;
      return {
        scan: async () => ["0", []],
        mget: async (keys) => keys.map(() => null),
        setWithTtl: async () => undefined,
        setIfAbsent: async () => true,
        remove: async () => undefined,
        add: async () => undefined,
        health: { up: () => true, failures: () => new Map() },
        get: async () => null,
        claim: async () => ({ value: null, leftMs: -2 }),
        peek: async () => ({ value: null, leftMs: -2 }),
        evaluate: async () => null,
        setWhileMine: async () => true,
        removeMine: async () => undefined,
        close: () => {
          redis.closed += 1;
        },
      };
    },
    owner: "vast-pod-0 (pid 1)",
    probe: async (endpoint) => failing(endpoint),
    askReloader: async () => null,
    askProxy: async () => null,
    isProxyGone: async () => over.proxyGone === true,
    openCluster: () => {
      throw new Error("no cluster");
    },
    inKubernetes: false,
    serveStatus: async (port, given) => {
      if (over.portTaken) throw new Error(`PROVISIONER_STATUS_PORT ${port} cannot be used`);
      source = given;
      listening += 1;
      return {
        port,
        close: async () => {
          listening -= 1;
        },
      };
    },
    logTo: { write: (line) => void lines.push(JSON.parse(line)) },
  };
  const settings = readProvisionerSettings({ env: { ...env, ...over.env }, flags: {}, readFile: () => "" });
  const result = await clock.drive(run(settings, deps, stop.signal)).catch((error: unknown) => error);
  const status = (): unknown => (source === null ? null : (source as StatusSource).status());
  return { result, redis, lines, files, status, calls, listening };
}

describe("a run", () => {
  test("that cannot start leaves no connection open that would keep it alive", async () => {
    const { result, redis } = await runIn({ portTaken: true });
    expect(result).toBeInstanceOf(Error);
    expect(redis.opened).toBe(redis.closed);
  });

  test("that cannot load the client for Redis closes its port, which would keep it alive without a loop", async () => {
    const { result, listening } = await runIn({ noRedisClient: true });
    expect(result).toEqual(new Error("no client"));
    expect(listening).toBe(0);
  });

  test("that stops closes what it opened, and its last line says what is still being billed", async () => {
    const { result, redis, lines } = await runIn();
    expect(result).toBe(true);
    expect(redis).toEqual({ opened: 1, closed: 1 });
    expect(lines.at(-1)).toMatchObject({
      event: "stop",
      msg: `no instance has the label ${LABEL}: nothing is being billed`,
    });
  });

  test("keeps its state on its own volume and its view on the shared one", async () => {
    const { files, status } = await runIn();
    expect(JSON.parse(files.get(STATE) ?? "")).toMatchObject({ schema: 2, label: LABEL });
    expect(JSON.parse(files.get(UPSTREAM) ?? "")).toMatchObject({ state: "blocked", reason: "template_not_found" });
    expect(await status()).toMatchObject({ pod: "vast-pod-0", reason: "template_not_found" });
  });

  test("that destroys its instance withdraws it first, even before the first pass has finished", async () => {
    const files = new Map([[UPSTREAM, formatUpstreamFile(fileOf())]]);
    const shown: (string | undefined)[] = [];
    let destroyed = false;
    const answer = (call: string): [number, object] => {
      if (call.startsWith("DELETE")) {
        shown.push(files.get(UPSTREAM));
        destroyed = true;
      }
      return [200, { instances: destroyed ? [] : [{ id: 7835610, label: LABEL }], templates: [], offers: [], id: 9 }];
    };
    const settings = { VAST_ON_TERMINATE: "destroy", BLACKLIST_ENABLED: "false" };
    const { lines } = await runIn({ answer, files, env: settings, passes: 0 });
    expect(shown.map((text) => JSON.parse(text ?? ""))).toEqual([
      expect.objectContaining({ server: null, reason: "terminating" }),
    ]);
    expect(lines.at(-1)?.msg).toBe(`no instance has the label ${LABEL}: nothing is being billed`);
  });

  test.each([
    ["at once when nginx and the reloader have ended, as in a pod", true, 1],
    ["after the reloader's time and the drain when they run", false, 20],
  ])("that destroys its instance sends the DELETE %s", async (_, proxyGone, seconds) => {
    const files = new Map([[UPSTREAM, formatUpstreamFile(fileOf())]]);
    let destroyed = false;
    const answer = (call: string): [number, object] => {
      destroyed ||= call.startsWith("DELETE");
      return [200, { instances: destroyed ? [] : [{ id: 7835610, label: LABEL }], templates: [], offers: [], id: 9 }];
    };
    const settings = { VAST_ON_TERMINATE: "destroy", BLACKLIST_ENABLED: "false" };
    const { calls } = await runIn({ answer, files, env: settings, passes: 0, proxyGone });
    const destroy = calls.find(({ call }) => call.startsWith("DELETE"));
    expect(((destroy?.at ?? 0) - (calls[0]?.at ?? 0)) / 1000).toBe(seconds);
  });

  test("names what an ordered destroy could not end in its time, and is not successful", async () => {
    const row = { id: 7835610, label: LABEL, gpu_name: "RTX 4090", dph_total: 0.316 };
    const answer = (call: string): [number, object] =>
      call.startsWith("DELETE")
        ? [403, { error: "forbidden" }]
        : [200, { instances: [row], templates: [], offers: [], id: 9 }];
    const settings = { VAST_ON_TERMINATE: "destroy", VAST_TERMINATE_SECONDS: "30", BLACKLIST_ENABLED: "false" };
    const { result, lines } = await runIn({ answer, env: settings });
    expect(result).toBe(false);
    expect(lines.at(-1)).toMatchObject({
      level: "error",
      event: "stop",
      instances: [7835610],
      msg: expect.stringMatching(
        /^Not verified .* billed: instance 7835610 \(RTX 4090, \$0\.316\/h\)\. Destroy it with: vast-provisioner destroy/,
      ),
    });
  });

  test("warns where the account has several templates of the name, and says which one is used", async () => {
    const twin = (id: number) => ({ id, hash_id: `h${id}`, name: env.VAST_TEMPLATE_NAME, creator_id: 9 });
    const { lines } = await runIn({
      answer: () => [200, { id: 9, instances: [], offers: [], templates: [twin(1), twin(2)] }],
    });
    const warnings = lines.filter(({ event }) => event === "template");
    expect(warnings).toEqual([expect.objectContaining({ level: "warn", taken: 2, others: [1] })]);
  });

  test("shows no secret anywhere, though the API quotes them all", async () => {
    const text = `Invalid user key ${env.VAST_API_KEY} with ${env.DOCKER_LOGIN}`;
    const { files, lines, status } = await runIn({ answer: () => [404, { error: "auth_error", msg: text }] });
    const shown = JSON.stringify([...files.values(), lines, status()]);
    expect(shown).toContain("account_auth");
    expect(shown).not.toContain("sekrit");
    expect(shown).not.toContain("hunter22");
  });

  test("shows no secret from a host's message: hosts have the registry login", async () => {
    const listed = {
      id: 7,
      label: LABEL,
      actual_status: "created",
      host_id: 5,
      machine_id: 6,
      image_uuid: env.VAST_TEMPLATE_IMAGE,
    };
    const row = { ...listed, status_msg: "pull access denied for https://me:hunter22@registry.example" };
    const template = { id: 1, hash_id: HASH, name: env.VAST_TEMPLATE_NAME, creator_id: 9 };
    const { files, lines, status } = await runIn({
      env: { VAST_POLICY: "observe" },
      answer: () => [200, { id: 9, instances: [row], templates: [template] }],
    });
    const shown = JSON.stringify([...files.values(), lines, status()]);
    expect(shown).toContain("pull access denied for https://me:[secret]@registry.example");
    expect(shown).not.toContain("hunter22");
  });
});
