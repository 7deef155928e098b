import pino from "pino";
import { describe, expect, test } from "vitest";
import { Applier } from "../../../reloader/apply/apply.ts";
import { ConfigFiles } from "../../../reloader/apply/config-files.ts";
import type { Inputs } from "../../../reloader/inputs/read-inputs.ts";
import { createResolver } from "../../../reloader/inputs/resolve.ts";
import type { UpstreamRead } from "../../../reloader/inputs/upstream.ts";
import { Reconciler } from "../../../reloader/reconcile.ts";
import { DEFAULT_CONF } from "../../../reloader/render/default-conf.ts";
import { NO_RENDER_INPUTS } from "../../../reloader/render/view.ts";
import { Report } from "../../../reloader/report/report.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";
import { CONFIG, FakeDisk, FakeNginx, GOOD, STATE } from "./fake-nginx.ts";
import { configFor, PROXY, server, upstreamFile } from "./samples.ts";

/** A pod: nginx runs, nothing was ever provisioned. `restart` begins a new reloader on the same disk. */
function pod(settings = PROXY) {
  const clock = fakeClock();
  const disk = new FakeDisk();
  const nginx = new FakeNginx(clock, disk);
  const addresses = new Map<string, string[]>();
  const lines: { level: string; msg: string; [key: string]: unknown }[] = [];
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const seen: { upstream: UpstreamRead; descriptor: string | null; looked: Inputs; untidy: string | null } = {
    upstream: { kind: "missing" },
    descriptor: null,
    looked: { render: NO_RENDER_INPUTS, usable: true, problem: null },
    untidy: null,
  };
  let reconciler: Reconciler | null = null;
  const world = {
    clock,
    disk,
    nginx,
    addresses,
    lines,
    ...seen,
    report: new Report(logger, clock.now()),
    publish: (file: Parameters<typeof upstreamFile>[0]) => {
      world.upstream = { kind: "file", file: upstreamFile(file), writtenAt: clock.now() };
    },
    restart: async (): Promise<Reconciler> => {
      const files = new ConfigFiles({ configPath: CONFIG, goodPath: GOOD }, disk);
      world.report = new Report(logger, clock.now());
      reconciler = new Reconciler({
        proxy: settings,
        clock,
        files,
        disk,
        applier: new Applier({ clock, nginx, files, log: nginx }),
        resolver: createResolver(async (name) => {
          const found = addresses.get(name);
          if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
          return found;
        }, clock),
        report: world.report,
        readUpstream: async () => world.upstream,
        behindDescriptor: async () => world.descriptor,
        readInputs: async () => world.looked,
        removeStale: async () => world.untidy,
      });
      await reconciler.recover();
      return reconciler;
    },
    pass: async () => clock.drive((reconciler ?? (await world.restart())).pass(new AbortController().signal)),
    status: () => world.report.status(),
  };
  nginx.start();
  return world;
}

/** A pod that serves `to`, proven. */
async function serving(to = server()) {
  const world = pod();
  world.publish({ generation: 5, server: to });
  await world.pass();
  expect(world.status()).toMatchObject({ applied: { generation: 5, server: to }, problem: null });
  world.nginx.reloads = 0;
  world.disk.writes.length = 0;
  world.lines.length = 0;
  return world;
}

describe("a fresh start", () => {
  test("without an upstream file answers 503, and that is no problem", async () => {
    const world = pod();
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({ applied: { generation: 0, server: null }, problem: null });
    expect(JSON.parse(world.disk.files.get(STATE) ?? "")).toMatchObject({ state: "provisioning" });
  });

  test("with an upstream file that cannot be used answers 503 and says why", async () => {
    const world = pod();
    world.upstream = { kind: "refused", problem: "/run/upstream.json cannot be used: it is not JSON" };
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({ problem: expect.stringContaining("/run/upstream.json cannot be used") });
  });

  test("writes the config before nginx exists", async () => {
    const world = pod();
    world.nginx.kill();
    world.publish({ server: server() });
    await world.pass();
    expect(world.disk.files.get(CONFIG)).toBe(configFor(server()).text);
    expect(world.status()).toMatchObject({ applied: null, state: "nginx_down", problem: "nginx is not running" });
    world.nginx.start();
    await world.pass();
    expect(world.status()).toMatchObject({ applied: { generation: 1, server: server() }, problem: null });
  });

  test("serves nobody by a name that cannot be resolved", async () => {
    const world = pod();
    world.publish({ server: server(80, "gpu.example") });
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({
      applied: { generation: 0, server: null },
      problem: expect.stringContaining("gpu.example cannot be resolved"),
    });
    expect(JSON.parse(world.disk.files.get(STATE) ?? "")).toMatchObject({ reason: "name_not_resolved" });
  });
});

describe("a new upstream file", () => {
  test("with another server is applied and followed by its generation", async () => {
    const world = await serving();
    world.publish({ generation: 6, server: server(2) });
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(server(2)).hash]);
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: server(2) } });
  });

  test("with the same server moves the generation at once and reloads nothing", async () => {
    const world = await serving();
    for (let generation = 6; generation < 106; generation += 1) {
      world.publish({ generation, message: `message ${generation}` });
      await world.pass();
    }
    expect(world.status()).toMatchObject({ applied: { generation: 105, server: server() }, reloads: 1 });
    expect(world.nginx.reloads).toBe(0);
    expect(world.disk.writes).toEqual([]);
  });

  test("without a server changes its message in the state file alone", async () => {
    const world = await serving();
    world.publish({ generation: 6, server: null, state: "unavailable", message: "gone" });
    await world.pass();
    expect(world.nginx.reloads).toBe(1);
    world.disk.writes.length = 0;
    world.publish({ generation: 7, server: null, state: "provisioning", message: "loading 40 %" });
    await world.pass();
    expect(world.nginx.reloads).toBe(1);
    expect(world.disk.writes).toEqual([STATE]);
    expect(JSON.parse(world.disk.files.get(STATE) ?? "")).toEqual({
      pod: "vast-pod-0",
      state: "provisioning",
      reason: "instance_ready",
      message: "loading 40 %",
      updatedAt: "2026-11-23T15:00:00.000Z",
    });
    expect(world.status()).toMatchObject({ applied: { generation: 7, server: null } });
  });

  test("is not reported as applied while old workers still answer", async () => {
    const world = await serving();
    world.nginx.stuck = true;
    world.publish({ generation: 6, server: null });
    await world.pass();
    expect(world.status()).toMatchObject({
      applied: { generation: 5, server: server() },
      wanted: { generation: 6, server: null },
      problem: expect.stringContaining("old workers"),
    });
    world.nginx.release();
    await world.pass();
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: null }, problem: null, reloads: 2 });
  });
});

describe("an upstream file that is gone or cannot be used", () => {
  const broken: [string, UpstreamRead][] = [
    ["gone", { kind: "missing" }],
    ["broken", { kind: "refused", problem: "/run/upstream.json cannot be used" }],
  ];
  test.each(broken)("never unpublishes: %s", async (_, upstream) => {
    const world = await serving();
    world.upstream = upstream;
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(server()).hash]);
    expect(world.nginx.reloads).toBe(0);
    expect(world.status()).toMatchObject({
      applied: { generation: 5, server: server() },
      state: "invalid_input",
      problem: expect.stringContaining("keeps its last good config"),
    });
  });

  test.each(broken)("never unpublishes across a restart of the reloader: %s", async (_, upstream) => {
    const world = await serving();
    world.upstream = upstream;
    await world.restart();
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(server()).hash]);
    expect(world.nginx.reloads).toBe(0);
    expect(world.status()).toMatchObject({ applied: { generation: 0, server: server() } });
  });
});

describe("a restart of the reloader", () => {
  test("changes nothing that was right", async () => {
    const world = await serving();
    await world.restart();
    await world.pass();
    expect(world.nginx.reloads).toBe(0);
    expect(world.disk.writes).toEqual([]);
    expect(world.status()).toMatchObject({ applied: { generation: 5, server: server() } });
  });

  test("replaces a config that was not proven by the good one before all else", async () => {
    const world = await serving();
    world.disk.files.set(CONFIG, configFor(server(2)).text);
    await world.restart();
    expect(world.disk.files.get(CONFIG)).toBe(configFor(server()).text);
  });

  test("does not trust a good copy that was cut", async () => {
    const world = await serving();
    world.disk.files.set(GOOD, configFor(server()).text.slice(0, 500));
    await world.restart();
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(server()).hash]);
    expect(world.disk.files.get(GOOD)).toBe(configFor(server()).text);
  });
});

describe("an nginx that does not start", () => {
  test("with the wanted config and says nothing starts with a safer one, and then is given the wanted one", async () => {
    const world = await serving();
    world.nginx.kill();
    world.nginx.endsWith = "203.0.113.9:2";
    world.publish({ generation: 6, server: server(2) });
    const starts: (string | null)[] = [];
    for (let seconds = 0; seconds < 75 && world.nginx.running().length === 0; seconds += 1) {
      await world.pass();
      if (seconds % 10 === 9) world.nginx.start();
      starts.push(...world.nginx.running());
      await world.clock.advance(1_000);
    }
    expect(starts).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({ problem: expect.stringContaining("a safer config lies there") });
    expect(await world.pass()).toBe(0);
    await world.pass();
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: server(2) }, problem: null });
  });

  test("is told once, however long it takes", async () => {
    const world = await serving();
    world.nginx.kill();
    world.publish({ generation: 6, server: server(2) });
    for (let seconds = 0; seconds < 600; seconds += 1) {
      await world.pass();
      await world.clock.advance(1_000);
    }
    const told = world.lines.filter((line) => line.msg === "the desired config is not applied");
    expect(told.map((line) => line.problem)).toEqual([
      "nginx is not running",
      expect.stringContaining("a safer config lies there"),
    ]);
  });

  test("for another reason finds the good config at every start", async () => {
    const world = await serving();
    world.nginx.kill();
    for (let seconds = 0; seconds < 300; seconds += 1) {
      await world.pass();
      await world.clock.advance(1_000);
    }
    expect(world.disk.writes).toEqual([]);
    expect(world.status()).toMatchObject({ problem: "nginx is not running" });
  });
});

describe("a volume that is mounted late", () => {
  test("gives back what an earlier run had proven, so that a lost upstream file unpublishes nothing", async () => {
    const world = await serving();
    const volume = new Map(world.disk.files);
    world.disk.files.clear();
    world.disk.gone = true;
    world.upstream = { kind: "missing" };
    await world.restart();
    await world.pass();
    expect(world.status()).toMatchObject({ problem: expect.stringContaining("mount a volume for that folder") });
    world.disk.gone = false;
    for (const [path, text] of volume) world.disk.files.set(path, text);
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(server()).hash]);
    expect(world.nginx.reloads).toBe(0);
    expect(world.status()).toMatchObject({ applied: { server: server() } });
  });
});

describe("a refused config", () => {
  test("is rolled back, told, and tried again with growing pauses", async () => {
    const world = await serving();
    world.nginx.refuses = 'duplicate listen options in "/conf/other.conf"';
    world.publish({ generation: 6, server: server(2) });
    await world.pass();
    expect(world.disk.files.get(CONFIG)).toBe(configFor(server()).text);
    expect(world.status()).toMatchObject({
      applied: { generation: 5, server: server() },
      wanted: { generation: 6, server: server(2) },
      state: "refused",
      problem: expect.stringContaining("duplicate listen options"),
      refusals: 1,
    });
    const tries = async (ms: number) => {
      const before = world.nginx.reloads;
      for (let passed = 0; passed < ms; passed += 1_000) {
        await world.clock.advance(1_000);
        await world.pass();
      }
      return world.nginx.reloads - before;
    };
    expect(await tries(4_000)).toBe(0);
    expect(await tries(2_000)).toBe(1);
    expect(await tries(8_000)).toBe(0);
    expect(await tries(4_000)).toBe(1);
    expect(await tries(600_000)).toBeLessThan(14);
    world.nginx.refuses = null;
    await tries(61_000);
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: server(2) }, problem: null });
  });

  test("that was the first one gives way to the one that answers 503, and is tried again", async () => {
    const world = pod();
    world.nginx.refusesWith = "203.0.113.9";
    world.publish({ server: server() });
    await world.pass();
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.disk.files.get(CONFIG)).toBe(configFor(null).text);
    expect(world.status()).toMatchObject({ applied: { generation: 0, server: null }, state: "refused" });
    expect(JSON.parse(world.disk.files.get(STATE) ?? "")).toMatchObject({ state: "unavailable", reason: "no_config" });
    world.nginx.refusesWith = null;
    await world.clock.advance(5_000);
    await world.pass();
    expect(world.status()).toMatchObject({ applied: { generation: 1, server: server() }, problem: null });
  });

  test("that was the first one is tried with growing pauses, also where nginx takes no other either", async () => {
    const world = pod();
    world.nginx.refuses = 'unknown directive "x" in /conf/other.conf:1';
    world.publish({ server: server() });
    for (let seconds = 0; seconds < 600; seconds += 3) {
      await world.pass();
      await world.clock.advance(3_000);
    }
    expect(world.nginx.reloads).toBeLessThan(2 * 14);
    world.nginx.refuses = null;
    for (let seconds = 0; seconds < 60; seconds += 3) {
      await world.pass();
      await world.clock.advance(3_000);
    }
    expect(world.status()).toMatchObject({ applied: { generation: 1, server: server() }, problem: null });
  });

  test("does not hold up another one", async () => {
    const world = await serving();
    world.nginx.refuses = "no";
    world.publish({ generation: 6, server: server(2) });
    await world.pass();
    world.nginx.refuses = null;
    world.publish({ generation: 7, server: null });
    await world.pass();
    expect(world.status()).toMatchObject({ applied: { generation: 7, server: null }, problem: null });
  });

  test("that cannot open the access log is followed by one without it", async () => {
    const world = pod({ ...PROXY, accessLog: "/dev/stdout" });
    world.nginx.refuses = 'open() "/dev/stdout" failed (6: No such device or address)';
    world.publish({ server: server() });
    await world.pass();
    world.nginx.refuses = null;
    await world.pass();
    expect(world.disk.files.get(CONFIG)).toContain("  access_log off;\n\n");
    expect(world.status()).toMatchObject({
      applied: { server: server() },
      problem: null,
      warnings: [expect.stringContaining("access log is off")],
    });
  });
});

describe("the access log", () => {
  test("is off, with a warning, where nginx' stdout is a socket", async () => {
    const world = pod({ ...PROXY, accessLog: "/dev/stdout" });
    world.descriptor = "socket:[123]";
    await world.pass();
    expect(world.disk.files.get(CONFIG)).not.toContain("/dev/stdout");
    expect(world.lines.filter((line) => line.level === "warn").map((line) => line.msg)).toEqual([
      "nginx' /dev/stdout is a socket, so its access log is off: set NGINX_ACCESS_LOG to a file, or to off",
    ]);
  });

  test("stays off while nginx is down and its stdout cannot be seen: it must be able to start again", async () => {
    const world = pod({ ...PROXY, accessLog: "/dev/stdout" });
    world.descriptor = "socket:[123]";
    await world.pass();
    world.nginx.kill();
    world.descriptor = null;
    await world.pass();
    expect(world.disk.files.get(CONFIG)).not.toContain("/dev/stdout");
  });
});

describe("a name", () => {
  test("is resolved anew at each pass, and a new address is applied", async () => {
    const world = pod();
    world.addresses.set("gpu.example", ["203.0.113.1"]);
    world.publish({ server: server(80, "gpu.example") });
    await world.pass();
    expect(world.disk.files.get(CONFIG)).toContain("server 203.0.113.1:80");
    world.addresses.set("gpu.example", ["203.0.113.2"]);
    await world.pass();
    expect(world.disk.files.get(CONFIG)).toContain("server 203.0.113.2:80");
    expect(world.status()).toMatchObject({ applied: { server: server(80, "gpu.example") } });
  });

  test("keeps its address while there is no answer", async () => {
    const world = pod();
    world.addresses.set("gpu.example", ["203.0.113.1"]);
    world.publish({ server: server(80, "gpu.example") });
    await world.pass();
    world.addresses.clear();
    await world.pass();
    expect(world.nginx.reloads).toBe(1);
    expect(world.status()).toMatchObject({
      problem: null,
      warnings: [expect.stringContaining("its last address 203.0.113.1 stays")],
    });
  });
});

describe("the log", () => {
  test("has one line for each change of state and none for a pass that changed nothing", async () => {
    const world = await serving();
    for (let i = 0; i < 20; i += 1) await world.pass();
    expect(world.lines).toEqual([]);
    world.publish({ generation: 6, server: server(2) });
    await world.pass();
    expect(world.lines.map((line) => line.msg)).toEqual(["desired server", "nginx reloaded"]);
    world.nginx.delivery = "forbidden";
    world.publish({ generation: 7, server: server(3) });
    await world.pass();
    await world.pass();
    world.nginx.delivery = "sent";
    await world.pass();
    expect(world.lines.slice(2).map((line) => line.msg)).toEqual([
      "desired server",
      "the desired config is not applied",
      "nginx reloaded",
      "the desired config is applied",
    ]);
  });

  test("tells what was applied and how long it took", async () => {
    const world = await serving();
    world.publish({ generation: 6, server: server(2) });
    await world.pass();
    const line = world.lines.find((entry) => entry.msg === "nginx reloaded");
    expect(line).toMatchObject({ generation: 6, server: server(2), hash: configFor(server(2)).hash });
    expect(line).toMatchObject({ acceptedMs: expect.any(Number), settledMs: expect.any(Number) });
  });
});

describe("the next pass", () => {
  test("comes sooner while nginx is not there or old workers are", async () => {
    const world = await serving();
    const usual = await world.pass();
    world.nginx.stuck = true;
    world.publish({ generation: 6, server: server(2) });
    expect(await world.pass()).toBeLessThan(usual);
    world.nginx.kill();
    world.publish({ generation: 7, server: server(3) });
    expect(await world.pass()).toBeLessThan(usual);
  });
});

test("nginx is asked for its version as soon as a config of ours can tell it, and not again and again", async () => {
  const world = pod();
  expect(await world.pass()).toBe(0);
  expect(await world.pass()).toBe(3_000);
  world.looked = { ...world.looked, render: { ...NO_RENDER_INPUTS, nginxVersion: "1.30.0" } };
  expect(await world.pass()).toBe(3_000);
  expect(world.disk.files.get(CONFIG)).toContain("keepalive_min_timeout 2s;");
  expect(world.status()).toMatchObject({ applied: { generation: 0 }, problem: null });
});

describe("a template of the user's own", () => {
  const bad = { ...NO_RENDER_INPUTS, template: "{{{nothing}}}" };
  const own = DEFAULT_CONF.replace("etag off;", "etag on;");

  test("that cannot be rendered leaves the last good config, and is told until it can be", async () => {
    const world = await serving();
    world.looked = { ...world.looked, render: bad };
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(server()).hash]);
    expect(world.status()).toMatchObject({ problem: expect.stringContaining("there is no {{nothing}} (line 1)") });
    world.looked = { ...world.looked, render: { ...NO_RENDER_INPUTS, template: DEFAULT_CONF } };
    await world.pass();
    expect(world.status()).toMatchObject({ problem: null });
  });

  test("that cannot be rendered at a fresh start answers 503, and not as the provisioner's word", async () => {
    const world = pod();
    world.publish({ server: server() });
    world.looked = { ...world.looked, render: bad };
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(JSON.parse(world.disk.files.get(STATE) ?? "")).toMatchObject({ state: "unavailable", reason: "no_config" });
  });

  test("that cannot be rendered does not keep a server that is withdrawn", async () => {
    const world = await serving();
    world.looked = { ...world.looked, render: bad };
    world.publish({ generation: 6, server: null, state: "blocked" });
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: null } });
    expect(JSON.parse(world.disk.files.get(STATE) ?? "")).toMatchObject({ state: "blocked" });
  });

  test("that nginx refuses does not keep it either", async () => {
    const world = await serving();
    world.looked = { ...world.looked, render: { ...NO_RENDER_INPUTS, template: own } };
    world.nginx.refuses = `unknown directive "x" in ${CONFIG}:3`;
    world.publish({ generation: 6, server: null });
    await world.pass();
    expect(world.status()).toMatchObject({ applied: { generation: 5 }, problem: expect.stringContaining(CONFIG) });
    world.nginx.refuses = null;
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: null } });
  });

  test("that nginx refuses without naming the file does not keep it either", async () => {
    const world = await serving();
    world.looked = { ...world.looked, render: { ...NO_RENDER_INPUTS, template: own } };
    world.nginx.refusesWith = "etag on;";
    world.publish({ generation: 6, server: null });
    await world.pass();
    await world.pass();
    expect(world.nginx.running()).toEqual([configFor(null).hash]);
    expect(world.status()).toMatchObject({ applied: { generation: 6, server: null } });
  });
});

test("what cannot be used of the settings' files leaves the last good config, with the reason", async () => {
  const world = await serving();
  world.looked = { ...world.looked, usable: false, problem: "the file is gone" };
  world.publish({ generation: 6, server: server(80) });
  await world.pass();
  expect(world.nginx.running()).toEqual([configFor(server()).hash]);
  expect(world.status()).toMatchObject({ applied: { generation: 5 }, problem: "the file is gone" });
});

test("a secret that cannot be read is told, while the one in use goes on", async () => {
  const world = await serving();
  world.looked = { ...world.looked, problem: "the file is gone" };
  world.publish({ generation: 6, server: server(80) });
  await world.pass();
  expect(world.status()).toMatchObject({ applied: { generation: 6, server: server(80) }, problem: "the file is gone" });
});

test("files that cannot be removed are told, and hinder nothing", async () => {
  const world = await serving();
  world.untidy = "the folder is read-only";
  world.publish({ generation: 6, server: server(80) });
  await world.pass();
  expect(world.status()).toMatchObject({ applied: { generation: 6 }, problem: "the folder is read-only" });
});
