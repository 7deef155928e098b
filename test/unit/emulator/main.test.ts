import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../simulation/bundle.ts";

const started: ChildProcess[] = [];
let folder: string;
let program: string;
// Through a loader each start takes five times as long.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vast-pod-emulator-"));
  program = join(folder, "emulator.mjs");
  await bundle(new URL("../../emulator/main.ts", import.meta.url), program);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(...flags: string[]) {
  const child = spawn(process.execPath, [program, "--machines", "5", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  return child;
}

async function listening(...flags: string[]) {
  const child = start("--port", "0", ...flags);
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url }: { msg: string; url: string } = JSON.parse(line);
    if (msg === "listening") return { child, url };
  }
  throw new Error("it ended without a word");
}

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

describe("the program", () => {
  it("says where it listens, serves there, and exits within a second of SIGTERM with its instances", async () => {
    const { child, url } = await listening();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const key = { authorization: "Bearer emulator-key" };
    expect((await fetch(`${url}/api/v0/users/current`, { headers: key })).status).toBe(200);
    await fetch(`${url}/_emulator/instances`, { method: "POST", body: "{}" });
    const state = (await (await fetch(`${url}/_emulator/state`)).json()) as {
      instances: { endpoints: { host: number }[] }[];
    };
    const instance = `http://127.0.0.1:${state.instances[0]?.endpoints[0]?.host}`;
    const stream = await fetch(`${instance}/stream?chunks=1000&delayMs=100`); // still open at the shutdown
    const began = performance.now();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(performance.now() - began).toBeLessThan(1000);
    await expect(stream.text()).rejects.toThrow();
    await expect(fetch(instance)).rejects.toThrow();
  });

  it("runs its clock at the given speed", async () => {
    const { url } = await listening("--time-scale", "3600");
    const now = async () => {
      const state = (await (await fetch(`${url}/_emulator/state`)).json()) as { now: string };
      return Date.parse(state.now);
    };
    const before = await now();
    await expect.poll(async () => (await now()) - before, { timeout: 60_000 }).toBeGreaterThan(600_000);
  });

  it.each([
    ["--port", "abc"],
    ["--rate-limits", "maybe"],
    ["--time-scale", "0"],
    ["--no-such-flag", "1"],
  ])("refuses %s %s with exit code 2", async (flag, value) => {
    const child = start(flag, value);
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += String(chunk);
    });
    expect(await once(child, "exit")).toEqual([2, null]);
    expect(said.length).toBeGreaterThan(10);
  });
});
