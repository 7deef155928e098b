import { describe, expect, test } from "vitest";
import type { UpstreamRead } from "../../../reloader/inputs/upstream.ts";
import { DEFAULT_CONF } from "../../../reloader/render/default-conf.ts";
import { NO_RENDER_INPUTS } from "../../../reloader/render/view.ts";
import { CONFIG, GOOD, STATE } from "./fake-nginx.ts";
import { startPod } from "./fake-pod.ts";
import { configFor, PROXY, server } from "./samples.ts";

/** A pod that serves `to`, and that is proven. */
async function serving(to = server()) {
  const pod = startPod();
  pod.publish({ generation: 5, server: to });
  await pod.pass();
  expect(pod.status()).toMatchObject({ applied: { generation: 5, server: to }, problem: null });
  pod.nginx.reloads = 0;
  pod.disk.writes.length = 0;
  pod.lines.length = 0;
  return pod;
}

describe("a first start", () => {
  test("without an upstream file answers 503 and reports no problem", async () => {
    const pod = startPod();
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({ applied: { generation: 0, server: null }, problem: null });
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toMatchObject({ state: "provisioning" });
  });

  test("with an upstream file that cannot be used answers 503 and reports why", async () => {
    const pod = startPod();
    pod.upstream = { kind: "refused", problem: "/run/upstream.json cannot be used: it is not JSON" };
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({ problem: expect.stringContaining("/run/upstream.json cannot be used") });
  });

  test("writes the config before nginx runs", async () => {
    const pod = startPod();
    pod.nginx.kill();
    pod.publish({ server: server() });
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).toBe(configFor(server()).text);
    expect(pod.status()).toMatchObject({ applied: null, state: "nginx_down", problem: "nginx is not running" });
    pod.nginx.start();
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 1, server: server() }, problem: null });
  });

  test("answers 503 when the server is this machine itself, and says why", async () => {
    const pod = await serving();
    pod.publish({ generation: 6, server: server(80, "127.0.0.1") });
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.disk.files.get(GOOD)).toBe(configFor(null).text);
    expect(pod.status()).toMatchObject({
      applied: { generation: 6, server: null },
      desired: { server: server(80, "127.0.0.1") },
      state: "invalid_input",
      problem: expect.stringContaining("UPSTREAM_ALLOW_LOCAL=true"),
    });
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toMatchObject({
      state: "unavailable",
      reason: "address_refused",
    });
    pod.publish({ generation: 7, server: server() });
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 7, server: server() }, problem: null });
  });

  test("answers 503 when the server's name cannot be resolved", async () => {
    const pod = startPod();
    pod.publish({ server: server(80, "gpu.example") });
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({
      applied: { generation: 0, server: null },
      problem: expect.stringContaining("gpu.example cannot be resolved"),
    });
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toMatchObject({ reason: "name_not_resolved" });
  });
});

describe("a restart without the upstream file and the good copy", () => {
  const restarted = async (text: string) => {
    const pod = await serving();
    pod.upstream = { kind: "missing" };
    pod.disk.files.delete(GOOD);
    pod.disk.files.set(CONFIG, text);
    await pod.restart();
    await pod.pass();
    return pod;
  };

  test("keeps what the config says, since nothing says that the server was withdrawn", async () => {
    const pod = await restarted(configFor(server()).text);
    expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
    expect(pod.status()).toMatchObject({ applied: { generation: 0, server: server() } });
    expect(pod.status()).toMatchObject({ problem: expect.stringContaining("the upstream file is gone") });
  });

  test.each([
    ["names no server", configFor(null).text],
    ["was edited", `${configFor(server()).text}# x`],
  ])("answers 503 when the config %s", async (_, text) => {
    const pod = await restarted(text);
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
  });
});

describe("a new upstream file", () => {
  test("with another server is applied with its generation", async () => {
    const pod = await serving();
    pod.publish({ generation: 6, server: server(2) });
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(server(2)).hash]);
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: server(2) } });
  });

  test("with the same server changes the applied generation at once and reloads nothing", async () => {
    const pod = await serving();
    for (let generation = 6; generation < 106; generation += 1) {
      pod.publish({ generation, message: `message ${generation}` });
      await pod.pass();
    }
    expect(pod.status()).toMatchObject({ applied: { generation: 105, server: server() }, reloads: 1 });
    expect(pod.nginx.reloads).toBe(0);
    expect(pod.disk.writes).toEqual([]);
  });

  test("without a server changes only the message in the state file", async () => {
    const pod = await serving();
    pod.publish({ generation: 6, server: null, state: "unavailable", message: "gone" });
    await pod.pass();
    expect(pod.nginx.reloads).toBe(1);
    pod.disk.writes.length = 0;
    pod.publish({ generation: 7, server: null, state: "provisioning", message: "loading 40 %" });
    await pod.pass();
    expect(pod.nginx.reloads).toBe(1);
    expect(pod.disk.writes).toEqual([STATE]);
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toEqual({
      pod: "vast-pod-0",
      state: "provisioning",
      reason: "instance_ready",
      message: "loading 40 %",
      updatedAt: "2026-11-23T15:00:00.000Z",
    });
    expect(pod.status()).toMatchObject({ applied: { generation: 7, server: null } });
  });

  test("is not reported as applied while old workers still answer", async () => {
    const pod = await serving();
    pod.nginx.stuck = true;
    pod.publish({ generation: 6, server: null });
    await pod.pass();
    expect(pod.status()).toMatchObject({
      applied: { generation: 5, server: server() },
      desired: { generation: 6, server: null },
      problem: expect.stringContaining("old workers"),
    });
    pod.nginx.release();
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: null }, problem: null, reloads: 2 });
  });
});

describe("an upstream file that is gone or cannot be used", () => {
  const broken: [string, UpstreamRead][] = [
    ["gone", { kind: "missing" }],
    ["broken", { kind: "refused", problem: "/run/upstream.json cannot be used" }],
  ];
  test.each(broken)("never unpublishes: %s", async (_, upstream) => {
    const pod = await serving();
    pod.upstream = upstream;
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
    expect(pod.nginx.reloads).toBe(0);
    expect(pod.status()).toMatchObject({
      applied: { generation: 5, server: server() },
      state: "invalid_input",
      problem: expect.stringContaining("keeps its last good config"),
    });
  });

  test.each(broken)("never unpublishes across a restart of the reloader: %s", async (_, upstream) => {
    const pod = await serving();
    pod.upstream = upstream;
    await pod.restart();
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
    expect(pod.nginx.reloads).toBe(0);
    expect(pod.status()).toMatchObject({ applied: { generation: 0, server: server() } });
  });
});

describe("a restart of the reloader", () => {
  test("changes nothing when everything is right", async () => {
    const pod = await serving();
    await pod.restart();
    await pod.pass();
    expect(pod.nginx.reloads).toBe(0);
    expect(pod.disk.writes).toEqual([]);
    expect(pod.status()).toMatchObject({ applied: { generation: 5, server: server() } });
  });

  test("first replaces a config that was not proven by the good one", async () => {
    const pod = await serving();
    pod.disk.files.set(CONFIG, configFor(server(2)).text);
    await pod.restart();
    expect(pod.disk.files.get(CONFIG)).toBe(configFor(server()).text);
  });

  test("does not trust a good copy that was truncated", async () => {
    const pod = await serving();
    pod.disk.files.set(GOOD, configFor(server()).text.slice(0, 500));
    await pod.restart();
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
    expect(pod.disk.files.get(GOOD)).toBe(configFor(server()).text);
  });
});

describe("an nginx that does not start", () => {
  test("with the desired config and logs nothing starts with a safer one, and then gets the desired one", async () => {
    const pod = await serving();
    pod.nginx.kill();
    pod.nginx.exitsWith = "203.0.113.9:2";
    pod.publish({ generation: 6, server: server(2) });
    const starts: (string | null)[] = [];
    for (let seconds = 0; seconds < 75 && pod.nginx.running().length === 0; seconds += 1) {
      await pod.pass();
      if (seconds % 10 === 9) pod.nginx.start();
      starts.push(...pod.nginx.running());
      await pod.clock.advance(1_000);
    }
    expect(starts).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({
      problem: expect.stringContaining("between the desired config and a safer one"),
    });
    expect(await pod.pass()).toBe(0);
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: server(2) }, problem: null });
  });

  test("is logged once, however long it takes", async () => {
    const pod = await serving();
    pod.nginx.kill();
    pod.publish({ generation: 6, server: server(2) });
    for (let seconds = 0; seconds < 600; seconds += 1) {
      await pod.pass();
      await pod.clock.advance(1_000);
    }
    const problems = pod.lines.filter((line) => line.msg === "the desired config is not applied");
    expect(problems.map((line) => line.problem)).toEqual([
      "nginx is not running",
      expect.stringContaining("between the desired config and a safer one"),
    ]);
  });

  test("for another reason finds the good config at each start", async () => {
    const pod = await serving();
    pod.nginx.kill();
    for (let seconds = 0; seconds < 300; seconds += 1) {
      await pod.pass();
      await pod.clock.advance(1_000);
    }
    expect(pod.disk.writes).toEqual([]);
    expect(pod.status()).toMatchObject({ problem: "nginx is not running" });
  });
});

describe("a volume that is mounted late", () => {
  test("has the good config of an earlier run, so that a lost upstream file unpublishes nothing", async () => {
    const pod = await serving();
    const volume = new Map(pod.disk.files);
    pod.disk.files.clear();
    pod.disk.gone = true;
    pod.upstream = { kind: "missing" };
    await pod.restart();
    await pod.pass();
    expect(pod.status()).toMatchObject({ problem: expect.stringContaining("mount a volume for that folder") });
    pod.disk.gone = false;
    for (const [path, text] of volume) pod.disk.files.set(path, text);
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
    expect(pod.nginx.reloads).toBe(0);
    expect(pod.status()).toMatchObject({ applied: { server: server() } });
  });
});

describe("a refused config", () => {
  test("is rolled back, reported, and retried with backoff", async () => {
    const pod = await serving();
    pod.nginx.refuses = 'duplicate listen options in "/conf/other.conf"';
    pod.publish({ generation: 6, server: server(2) });
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).toBe(configFor(server()).text);
    expect(pod.status()).toMatchObject({
      applied: { generation: 5, server: server() },
      desired: { generation: 6, server: server(2) },
      state: "refused",
      problem: expect.stringContaining("duplicate listen options"),
      refusals: 1,
    });
    const tries = async (ms: number) => {
      const before = pod.nginx.reloads;
      for (let passed = 0; passed < ms; passed += 1_000) {
        await pod.clock.advance(1_000);
        await pod.pass();
      }
      return pod.nginx.reloads - before;
    };
    expect(await tries(4_000)).toBe(0);
    expect(await tries(2_000)).toBe(1);
    expect(await tries(8_000)).toBe(0);
    expect(await tries(4_000)).toBe(1);
    expect(await tries(600_000)).toBeLessThan(14);
    pod.nginx.refuses = null;
    await tries(61_000);
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: server(2) }, problem: null });
  });

  test("that was the first one is replaced by the one that answers 503, and is retried", async () => {
    const pod = startPod();
    pod.nginx.refusesWith = "203.0.113.9";
    pod.publish({ server: server() });
    await pod.pass();
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.disk.files.get(CONFIG)).toBe(configFor(null).text);
    expect(pod.status()).toMatchObject({ applied: { generation: 0, server: null }, state: "refused" });
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toMatchObject({ state: "unavailable", reason: "no_config" });
    pod.nginx.refusesWith = null;
    await pod.clock.advance(5_000);
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 1, server: server() }, problem: null });
  });

  test("that was the first one is retried with backoff, also when nginx refuses every other config", async () => {
    const pod = startPod();
    pod.nginx.refuses = 'unknown directive "x" in /conf/other.conf:1';
    pod.publish({ server: server() });
    for (let seconds = 0; seconds < 600; seconds += 3) {
      await pod.pass();
      await pod.clock.advance(3_000);
    }
    expect(pod.nginx.reloads).toBeLessThan(2 * 14);
    pod.nginx.refuses = null;
    for (let seconds = 0; seconds < 60; seconds += 3) {
      await pod.pass();
      await pod.clock.advance(3_000);
    }
    expect(pod.status()).toMatchObject({ applied: { generation: 1, server: server() }, problem: null });
  });

  test("does not delay another one", async () => {
    const pod = await serving();
    pod.nginx.refuses = "no";
    pod.publish({ generation: 6, server: server(2) });
    await pod.pass();
    pod.nginx.refuses = null;
    pod.publish({ generation: 7, server: null });
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 7, server: null }, problem: null });
  });

  test("because of the access log is followed by one without an access log", async () => {
    const pod = startPod({ ...PROXY, accessLog: "/dev/stdout" });
    pod.nginx.refuses = 'open() "/dev/stdout" failed (6: No such device or address)';
    pod.publish({ server: server() });
    await pod.pass();
    pod.nginx.refuses = null;
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).toContain("  access_log off;\n\n");
    expect(pod.status()).toMatchObject({
      applied: { server: server() },
      problem: null,
      warnings: [expect.stringContaining("access log is off")],
    });
  });
});

describe("the access log", () => {
  test("is off, with a warning, where nginx' stdout is a socket", async () => {
    const pod = startPod({ ...PROXY, accessLog: "/dev/stdout" });
    pod.descriptor = "socket:[123]";
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).not.toContain("/dev/stdout");
    expect(pod.lines.filter((line) => line.level === "warn").map((line) => line.msg)).toEqual([
      "nginx' /dev/stdout is a socket, so its access log is off: set NGINX_ACCESS_LOG to a file, or to off",
    ]);
  });

  test("stays off while nginx is down and its stdout cannot be read, so that nginx can start again", async () => {
    const pod = startPod({ ...PROXY, accessLog: "/dev/stdout" });
    pod.descriptor = "socket:[123]";
    await pod.pass();
    pod.nginx.kill();
    pod.descriptor = null;
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).not.toContain("/dev/stdout");
  });
});

describe("a name", () => {
  test("is resolved at each pass, and a new address is applied", async () => {
    const pod = startPod();
    pod.addresses.set("gpu.example", ["203.0.113.1"]);
    pod.publish({ server: server(80, "gpu.example") });
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).toContain("server 203.0.113.1:80");
    pod.addresses.set("gpu.example", ["203.0.113.2"]);
    await pod.pass();
    expect(pod.disk.files.get(CONFIG)).toContain("server 203.0.113.2:80");
    expect(pod.status()).toMatchObject({ applied: { server: server(80, "gpu.example") } });
  });

  test("keeps its address while DNS does not answer", async () => {
    const pod = startPod();
    pod.addresses.set("gpu.example", ["203.0.113.1"]);
    pod.publish({ server: server(80, "gpu.example") });
    await pod.pass();
    pod.addresses.clear();
    await pod.pass();
    expect(pod.nginx.reloads).toBe(1);
    expect(pod.status()).toMatchObject({
      problem: null,
      warnings: [expect.stringContaining("nginx keeps its last address 203.0.113.1")],
    });
  });
});

describe("the log", () => {
  test("has one line for each change of state and none for a pass that changed nothing", async () => {
    const pod = await serving();
    for (let i = 0; i < 20; i += 1) await pod.pass();
    expect(pod.lines).toEqual([]);
    pod.publish({ generation: 6, server: server(2) });
    await pod.pass();
    expect(pod.lines.map((line) => line.msg)).toEqual(["desired server", "nginx reloaded"]);
    pod.nginx.delivery = "forbidden";
    pod.publish({ generation: 7, server: server(3) });
    await pod.pass();
    await pod.pass();
    pod.nginx.delivery = "sent";
    await pod.pass();
    expect(pod.lines.slice(2).map((line) => line.msg)).toEqual([
      "desired server",
      "the desired config is not applied",
      "nginx reloaded",
      "the desired config is applied",
    ]);
  });

  test("has what was applied and how long it took", async () => {
    const pod = await serving();
    pod.publish({ generation: 6, server: server(2) });
    await pod.pass();
    const line = pod.lines.find((entry) => entry.msg === "nginx reloaded");
    expect(line).toMatchObject({ generation: 6, server: server(2), hash: configFor(server(2)).hash });
    expect(line).toMatchObject({ acceptedMs: expect.any(Number), settledMs: expect.any(Number) });
  });
});

describe("the next pass", () => {
  test("comes sooner while nginx is down or old workers still answer", async () => {
    const pod = await serving();
    const usual = await pod.pass();
    pod.nginx.stuck = true;
    pod.publish({ generation: 6, server: server(2) });
    expect(await pod.pass()).toBeLessThan(usual);
    pod.nginx.kill();
    pod.publish({ generation: 7, server: server(3) });
    expect(await pod.pass()).toBeLessThan(usual);
  });
});

test("the next pass comes at once when a config of ours makes nginx' version known, and only once", async () => {
  const pod = startPod();
  expect(await pod.pass()).toBe(0);
  expect(await pod.pass()).toBe(3_000);
  pod.inputs = { ...pod.inputs, render: { ...NO_RENDER_INPUTS, nginxVersion: "1.30.0" } };
  expect(await pod.pass()).toBe(3_000);
  expect(pod.disk.files.get(CONFIG)).toContain("keepalive_min_timeout 2s;");
  expect(pod.status()).toMatchObject({ applied: { generation: 0 }, problem: null });
});

describe("a template of the user's own", () => {
  const bad = { ...NO_RENDER_INPUTS, template: "{{{nothing}}}" };
  const own = DEFAULT_CONF.replace("etag off;", "etag on;");

  test("that cannot be rendered leaves the last good config, and is reported until it can be rendered", async () => {
    const pod = await serving();
    pod.inputs = { ...pod.inputs, render: bad };
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
    expect(pod.status()).toMatchObject({ problem: expect.stringContaining("there is no {{nothing}} (line 1)") });
    pod.inputs = { ...pod.inputs, render: { ...NO_RENDER_INPUTS, template: DEFAULT_CONF } };
    await pod.pass();
    expect(pod.status()).toMatchObject({ problem: null });
  });

  test("that cannot be rendered at a first start answers 503 with the reloader's own reason", async () => {
    const pod = startPod();
    pod.publish({ server: server() });
    pod.inputs = { ...pod.inputs, render: bad };
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toMatchObject({ state: "unavailable", reason: "no_config" });
  });

  test("that cannot be rendered does not keep a withdrawn server published", async () => {
    const pod = await serving();
    pod.inputs = { ...pod.inputs, render: bad };
    pod.publish({ generation: 6, server: null, state: "blocked" });
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: null } });
    expect(JSON.parse(pod.disk.files.get(STATE) ?? "")).toMatchObject({ state: "blocked" });
  });

  test("that nginx refuses does not keep a withdrawn server published", async () => {
    const pod = await serving();
    pod.inputs = { ...pod.inputs, render: { ...NO_RENDER_INPUTS, template: own } };
    pod.nginx.refuses = `unknown directive "x" in ${CONFIG}:3`;
    pod.publish({ generation: 6, server: null });
    await pod.pass();
    expect(pod.status()).toMatchObject({ applied: { generation: 5 }, problem: expect.stringContaining(CONFIG) });
    pod.nginx.refuses = null;
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: null } });
  });

  test("that nginx refuses without naming the file does not keep a withdrawn server published", async () => {
    const pod = await serving();
    pod.inputs = { ...pod.inputs, render: { ...NO_RENDER_INPUTS, template: own } };
    pod.nginx.refusesWith = "etag on;";
    pod.publish({ generation: 6, server: null });
    await pod.pass();
    await pod.pass();
    expect(pod.nginx.running()).toEqual([configFor(null).hash]);
    expect(pod.status()).toMatchObject({ applied: { generation: 6, server: null } });
  });
});

test("a file of the settings that cannot be used leaves the last good config, with the reason", async () => {
  const pod = await serving();
  pod.inputs = { ...pod.inputs, usable: false, problem: "the file is gone" };
  pod.publish({ generation: 6, server: server(80) });
  await pod.pass();
  expect(pod.nginx.running()).toEqual([configFor(server()).hash]);
  expect(pod.status()).toMatchObject({ applied: { generation: 5 }, problem: "the file is gone" });
});

test("a secret that cannot be read is reported, and the one in use stays", async () => {
  const pod = await serving();
  pod.inputs = { ...pod.inputs, problem: "the file is gone" };
  pod.publish({ generation: 6, server: server(80) });
  await pod.pass();
  expect(pod.status()).toMatchObject({ applied: { generation: 6, server: server(80) }, problem: "the file is gone" });
});

test("files that cannot be removed are reported, and delay nothing", async () => {
  const pod = await serving();
  pod.cleanupError = "the folder is read-only";
  pod.publish({ generation: 6, server: server(80) });
  await pod.pass();
  expect(pod.status()).toMatchObject({ applied: { generation: 6 }, problem: "the folder is read-only" });
});
