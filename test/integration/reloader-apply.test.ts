import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());
const serving = async () => {
  const started = await servingPod();
  pod = started.pod;
  return started;
};

describe("applying", () => {
  test("starts before nginx runs, and is verified once nginx has started", async () => {
    pod = await openReloaderPod();
    await pod.startReloader();
    await until("there is a config", () => pod.config());
    await pod.until("the reloader waits", (s) => s.problem?.includes("nginx is not running"));
    await pod.startNginx();
    const status = await pod.until("nothing is applied and nothing is wrong", (s) => s.applied !== null && !s.problem);
    expect(status.applied).toMatchObject({ generation: 0, server: null });
    expect(await pod.reloadsOfNginx()).toBe(0);
    const answer = await pod.get("/anything");
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("10");
    expect(JSON.parse(answer.body)).toMatchObject({ state: "provisioning" });
  });

  test("follows the upstream file to a server, to another one and to none", async () => {
    const { first } = await serving();
    expect((await pod.get()).body).toBe("first");
    const second = await pod.instance("second");
    await pod.publish({ generation: 2, server: second.server });
    const status = await pod.applied(2);
    expect(status.applied?.server).toEqual(second.server);
    expect((await pod.get()).body).toBe("second");
    expect((await pod.get("/-/ready")).status).toBe(200);
    await pod.publish({ generation: 3, server: null, state: "unavailable", message: "it was lost" });
    await pod.applied(3);
    const answer = await pod.get();
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ state: "unavailable", message: "it was lost" });
    expect((await pod.get("/-/ready")).status).toBe(503);
    expect((await pod.get("/-/live")).status).toBe(200);
    expect(first.requests.length).toBe(1);
  });

  test("the hash on nginx' status port is the one that it reports as applied", async () => {
    await serving();
    const echo = await fetch(`http://127.0.0.1:${pod.nginxStatusPort}/hash`);
    expect((await echo.text()).trim()).toBe((await pod.status()).applied?.hash);
    expect(await (await fetch(`http://127.0.0.1:${pod.nginxStatusPort}/version`)).text()).toMatch(/^1\.\d+\.\d+\n$/);
    expect(await (await fetch(`http://127.0.0.1:${pod.nginxStatusPort}/stub_status`)).text()).toContain("Active");
  });

  test("of a burst of renames results in the last content", async () => {
    await serving();
    for (const gapMs of [0, 5, 20, 40]) {
      const generation = 100 * (gapMs + 1);
      for (let i = 0; i < 12; i += 1) {
        const port = 20_000 + generation + i;
        await pod.publish({ generation: generation + i, server: { scheme: "http", host: "127.0.0.1", port } });
        await new Promise((resolve) => setTimeout(resolve, gapMs));
      }
      const status = await pod.applied(generation + 11);
      expect(status.applied?.server?.port).toBe(20_000 + generation + 11);
      expect(await pod.config()).toContain(`server 127.0.0.1:${20_000 + generation + 11} `);
    }
  });

  test("of a thousand changed messages updates the generation without a reload", async () => {
    const { first } = await serving();
    const before = await pod.reloadsOfNginx();
    for (let generation = 2; generation <= 1_001; generation += 1) {
      await pod.publish({ generation, server: first.server, message: `message ${generation}` });
    }
    await pod.applied(1_001);
    await pod.publish({ generation: 1_002, server: null });
    await pod.applied(1_002);
    expect(await pod.reloadsOfNginx()).toBe(before + 1);
    for (let generation = 1_003; generation <= 2_002; generation += 1) {
      await pod.publish({ generation, server: null, message: `loading ${(generation - 1_002) / 10} %` });
    }
    await pod.applied(2_002);
    expect(await pod.reloadsOfNginx()).toBe(before + 1);
    expect(JSON.parse((await pod.get()).body)).toMatchObject({ message: "loading 100 %" });
  });

  test("logs one JSON line for each change of state", async () => {
    const { reloader, first } = await serving();
    const from = reloader.lines.length;
    await pod.publish({ generation: 2, server: null });
    await pod.applied(2);
    await pod.publish({ generation: 3, server: first.server });
    await pod.applied(3);
    const entries = reloader.lines.slice(from).map((line) => JSON.parse(line) as { msg: string; app: string });
    expect(entries.every((entry) => entry.app === "vast-reloader")).toBe(true);
    expect(entries.map((entry) => entry.msg)).toEqual([
      "desired server",
      "nginx reloaded",
      "desired server",
      "nginx reloaded",
    ]);
  });
});

describe("a name instead of an address", () => {
  test("is resolved by the reloader and never reaches nginx", async () => {
    const { first } = await serving();
    await pod.publish({ generation: 2, server: { ...first.server, host: "localhost" } });
    const status = await pod.applied(2);
    expect(status.applied?.server?.host).toBe("localhost");
    expect(await readFile(pod.configPath, "utf8")).toContain(`server 127.0.0.1:${first.server.port} `);
    expect((await pod.get()).body).toBe("first");
  });

  test("that cannot be resolved changes nothing", async () => {
    const { first } = await serving();
    await pod.publish({ generation: 2, server: { ...first.server, host: "no-such-host.invalid" } });
    const status = await pod.until("the problem shows", (s) => s.problem?.includes("no-such-host.invalid"));
    expect(status.applied?.generation).toBe(1);
    expect((await pod.get()).body).toBe("first");
  });
});
