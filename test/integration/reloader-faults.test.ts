import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readIfExists } from "../../common/atomic-file.ts";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, type Status, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());
const serving = async () => {
  const started = await servingPod();
  pod = started.pod;
  return started;
};

describe("nginx", () => {
  test("killed and restarted is verified by its hash, without a reload", async () => {
    const { nginx } = await serving();
    const reloads = await pod.reloadsOfNginx();
    await pod.killNginx(nginx);
    await pod.until("its loss shows", (s) => s.problem !== null);
    await pod.startNginx();
    await pod.until("all is well", (s) => s.problem === null);
    expect(await pod.reloadsOfNginx()).toBe(reloads);
    expect((await pod.get()).body).toBe("first");
  });

  test("that was down while the server changed starts with the new one", async () => {
    const { nginx } = await serving();
    await pod.killNginx(nginx);
    const second = await pod.instance("second");
    await pod.publish({ generation: 2, server: second.server });
    await until("the config is written", async () => (await pod.config()).includes(`:${second.server.port} `));
    expect((await pod.status()).applied?.generation).toBe(1);
    await pod.startNginx();
    await pod.applied(2);
    expect((await pod.get()).body).toBe("second");
  });

  test("without a pid file is found in the process table", async () => {
    pod = await openReloaderPod();
    const first = await pod.instance("first");
    await pod.startNginx();
    await pod.startReloader({ NGINX_PID_FILE: "" });
    await pod.publish({ generation: 1, server: first.server });
    // Another test's nginx may run at the same time: with several masters the reloader must report that, not guess.
    const status = await pod.until("it is applied or refused", (s) => s.applied?.generation === 1 || s.problem);
    if (status.problem === null) expect((await pod.get()).body).toBe("first");
    else expect(status.problem).toMatch(/nginx masters \(pids [\d, ]+\): set NGINX_PID_FILE/);
  });

  test("whose stdout is a socket gets no access log, and a warning says so", async () => {
    pod = await openReloaderPod();
    const first = await pod.instance("first");
    const nginx = await pod.startNginx();
    await nginx.master.stop();
    // Without an output file the sandbox uses pipes, which are sockets in Node.
    const { folder } = pod.files;
    await pod.sandbox.start({
      name: "nginx",
      program: "nginx",
      args: ["-p", folder, "-c", join(folder, "nginx.conf")],
    });
    await until("nginx has written its pid file", () => readIfExists(pod.files.pidFile));
    await pod.publish({ generation: 1, server: first.server });
    await pod.startReloader();
    const status = await pod.applied(1);
    expect(status.warnings).toEqual([expect.stringContaining("access log is off")]);
    expect((await pod.get()).body).toBe("first");
  });
});

describe("a config", () => {
  test("that somebody edits is restored", async () => {
    await serving();
    const before = await pod.config();
    const editedAt = Date.now();
    await writeFile(pod.configPath, before.replace("proxy_pass", "return 204; #"));
    await until("the config is right again", async () => (await pod.config()) === before);
    // The status of an earlier pass says that all is well too.
    const isAfter = ({ at, settledMs }: NonNullable<Status["lastReload"]>) =>
      Date.parse(at) >= editedAt && settledMs !== null;
    await pod.until("nginx was reloaded since", (s) => s.problem === null && s.lastReload && isAfter(s.lastReload));
    expect((await pod.get()).body).toBe("first");
  });

  test("that somebody edits and reloads is restored", async () => {
    const { nginx } = await serving();
    const before = await pod.config();
    const other = await pod.sandbox.port(); // its own: others test that nobody listens on port 1
    await writeFile(pod.configPath, `server { listen 127.0.0.1:${other}; }\n`);
    nginx.master.signal("SIGHUP");
    await until("the config is right again", async () => (await pod.config()) === before);
    await until("the instance is served again", async () => (await pod.get()).body === "first");
    await pod.until("all is well", (s) => s.problem === null);
    expect((await pod.get()).body).toBe("first");
  });

  test("that somebody removes is written again", async () => {
    await serving();
    const before = await pod.config();
    await rm(pod.configPath);
    await until("the config is back", async () => (await readIfExists(pod.configPath)) === before);
    await pod.passes(1);
    expect((await pod.get()).body).toBe("first");
  });
});

describe("the reloader", () => {
  test("killed and restarted changes nothing", async () => {
    const { reloader } = await serving();
    const config = await pod.config();
    const reloads = await pod.reloadsOfNginx();
    reloader.signal("SIGKILL");
    await reloader.exited;
    await pod.startReloader();
    const status = await pod.applied(1);
    expect(status).toMatchObject({ problem: null, reloads: 0 });
    expect(await pod.config()).toBe(config);
    expect(await pod.reloadsOfNginx()).toBe(reloads);
  });

  test("killed at any moment of a change converges after a restart", async () => {
    const { first, reloader } = await serving();
    const second = await pod.instance("second");
    let current = reloader;
    for (let generation = 2; generation < 12; generation += 1) {
      const to = generation % 2 === 0 ? second : first;
      await pod.publish({ generation, server: to.server });
      // Not for synchronisation: the time of the kill varies, from before the first check to after the last.
      await new Promise((resolve) => setTimeout(resolve, (generation - 2) * 20));
      current.signal("SIGKILL");
      await current.exited;
      current = await pod.startReloader();
      await pod.applied(generation);
      expect((await pod.get()).body).toBe(generation % 2 === 0 ? "second" : "first");
    }
  });

  test("replaces an unverified config by the last good one at startup", async () => {
    const { reloader } = await serving();
    const good = await readFile(`${pod.configPath}.good`, "utf8");
    reloader.signal("SIGKILL");
    await reloader.exited;
    await rm(pod.upstreamPath);
    await writeFile(pod.configPath, "half of a config {");
    await pod.startReloader();
    await until("the good config is back", async () => (await pod.config()) === good);
    const status = await pod.until("it is proven", (s) => s.applied !== null);
    expect(status.applied?.server).toMatchObject({ host: "127.0.0.1" });
    expect(status.problem).toContain("the upstream file is gone");
    expect((await pod.get()).body).toBe("first");
  });

  test.each(["SIGTERM", "SIGINT"] as const)("exits within two seconds of %s, with code 0", async (signal) => {
    const { reloader } = await serving();
    const before = performance.now();
    reloader.signal(signal);
    expect(await reloader.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(2_000);
    expect((await pod.get()).body).toBe("first");
  });

  test("exits within two seconds although something still waits", async () => {
    pod = await openReloaderPod();
    // Simulates a pass that still waits for answers after the loop has ended.
    const reloader = await pod.startReloader({ NODE_OPTIONS: "--import data:text/javascript,setInterval(()=>{},1e9)" });
    await pod.until("it is up", (s) => s.lastPassAt);
    const before = performance.now();
    reloader.signal("SIGTERM");
    expect(await reloader.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test("exits within two seconds during a reload that nginx does not apply", async () => {
    const { reloader } = await serving();
    await pod.sandbox.subfolder("elsewhere");
    // nginx gets the signal but reads the config of another folder: the expected hash never appears.
    const conf = join(pod.files.folder, "nginx.conf");
    const text = await readFile(conf, "utf8");
    await writeFile(conf, text.replace("conf.d/*.conf", "elsewhere/*.conf"));
    await pod.publish({ generation: 2, server: { scheme: "http", host: "127.0.0.1", port: 9 } });
    await until("the reload has begun", async () => (await pod.config()).includes("127.0.0.1:9 "));
    const before = performance.now();
    reloader.signal("SIGTERM");
    expect(await reloader.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

describe("an upstream file", () => {
  const json = (change: object) =>
    JSON.stringify({
      schema: 1,
      generation: 2,
      pod: "vast-pod-0",
      state: "ready",
      reason: "instance_ready",
      message: "",
      server: null,
      instance: null,
      updatedAt: "2026-11-23T15:00:00.000Z",
      ...change,
    });
  const hostile = { scheme: "http", host: "a; }", port: 80 };
  test.each([
    ["that is half-written", json({}).slice(0, 60), "half-written"],
    ["with a hostile host", json({ server: hostile }), "server.host"],
    ["of a higher schema", json({ schema: 2 }), "schema 2 is newer"],
    ["that is empty", "", "half-written"],
  ])("%s changes nothing, and the problem names the file", async (_, text, fault) => {
    await serving();
    const before = await pod.config();
    await pod.publishText(text);
    const status = await pod.until("the problem shows", (s) => s.problem !== null);
    expect(status.problem).toContain(pod.upstreamPath);
    expect(status.problem).toContain(fault);
    expect(status.applied?.generation).toBe(1);
    expect(await pod.config()).toBe(before);
    expect((await pod.get()).body).toBe("first");
  });

  test("that is invalid at a first start is answered with 503", async () => {
    pod = await openReloaderPod();
    await pod.publishText(json({ server: hostile }));
    await pod.startReloader();
    await pod.startNginx();
    const status = await pod.until("the 503 config is applied", (s) => s.applied !== null);
    expect(status.applied?.server).toBeNull();
    expect(status.problem).toContain("server.host");
    expect((await pod.get()).status).toBe(503);
  });

  test("that disappears changes nothing, and is followed when it is back", async () => {
    await serving();
    await rm(pod.upstreamPath);
    await pod.until("its loss shows", (s) => s.problem?.includes("is gone"));
    expect((await pod.get()).body).toBe("first");
    await pod.publish({ generation: 2, server: null });
    expect((await pod.applied(2)).problem).toBeNull();
  });

  test("in a folder that appears later is followed", async () => {
    pod = await openReloaderPod();
    const later = join(pod.sandbox.folder, "later");
    await pod.startReloader({ UPSTREAM_PATH: join(later, "upstream.json") });
    await pod.startNginx();
    await pod.until("nothing is wanted yet", (s) => s.applied !== null);
    await pod.sandbox.subfolder("later");
    await writeFile(join(later, "upstream.json"), json({ generation: 7 }));
    await pod.applied(7);
  });
});

test("a config folder that is read-only is reported with a remedy, and recovers", async () => {
  pod = await openReloaderPod();
  const folder = join(pod.sandbox.folder, "missing");
  await pod.startReloader({ NGINX_CONFIG_PATH: join(folder, "default.conf") });
  await pod.until("the problem shows", (s) => s.problem?.includes("mount a volume for that folder"));
  await pod.sandbox.subfolder("missing");
  await pod.until("only nginx is missing", (s) => s.problem?.startsWith("nginx is not running") === true);
  await chmod(folder, 0o755);
});
