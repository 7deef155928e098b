// Bad input gets a clear message with the variable and the remedy; policies are respected; no secret is printed or written.
import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { API_KEY, logOf, openPod, type Pod, REGISTRY_PASSWORD } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
});
afterEach(() => pod.close());

const ended = async (env: Record<string, string>, command?: string[]) => {
  const child = await pod.provision(env, command);
  return { exit: await child.exited, output: child.lines.join("\n") };
};

test("reports all invalid settings at once, with exit code 2", async () => {
  const { exit, output } = await ended({
    POD_NAME: "",
    VAST_API_KEY: "",
    VAST_TEMPLATE_NAME: "",
    VAST_TEMPLATE_IMAGE: "two words",
    DOCKER_LOGIN: `-u user -p ${REGISTRY_PASSWORD}`,
    VAST_SEARCH_QUERY: "{broken",
    BLACKLIST_ENABLED: "maybe",
    BLACKLIST_REDIS_URL: "http://redis",
    BLACKLIST_BAN_AFTER_SECONDS: "-1",
    BLACKLIST_BAN_TTL_SECONDS: "1h",
    BLACKLIST_RESTART_TTL_SECONDS: "0",
    BLACKLIST_RESTART_THRESHOLD: "1.5",
    DEBUG: "loud",
    VAST_POLICY: "careful",
    VAST_URL: "console.vast.ai",
    STATE_PATH: "relative/path",
    PROVISIONER_STATUS_PORT: "70000",
  });
  expect(exit.code).toBe(2);
  expect(output).toContain("17 settings cannot be used");
  for (const name of [
    "POD_NAME is missing",
    "VAST_API_KEY is missing",
    "VAST_TEMPLATE_NAME is missing",
    'VAST_TEMPLATE_IMAGE is "two words"',
    "DOCKER_LOGIN cannot be read",
    "VAST_SEARCH_QUERY is",
    "BLACKLIST_ENABLED is",
    "BLACKLIST_REDIS_URL is",
    "BLACKLIST_BAN_AFTER_SECONDS is",
    "BLACKLIST_BAN_TTL_SECONDS is",
    "BLACKLIST_RESTART_TTL_SECONDS is",
    "BLACKLIST_RESTART_THRESHOLD is",
    "DEBUG is",
    "VAST_POLICY is",
    "VAST_URL is",
    "STATE_PATH is",
    "PROVISIONER_STATUS_PORT is",
  ]) {
    expect(output).toContain(name);
  }
  expect(output).not.toContain(REGISTRY_PASSWORD);
});

test("says that the account has no template with that name, and continues when it appears", async () => {
  await pod.provision({ VAST_TEMPLATE_NAME: "missing" });
  const file = await pod.until("it is blocked", (f) => f.state === "blocked");
  expect(file).toMatchObject({ reason: "template_not_found", server: null });
  expect(file.message).toContain('VAST_TEMPLATE_NAME is "missing"');
  expect(await pod.emulator.mutations()).toEqual([]);
  await pod.emulator.send("PATCH", "templates/demo", { name: "missing" });
  await pod.ready(60_000);
});

test("says that the API rejects the key (with HTTP 404), and changes nothing", async () => {
  await pod.provision({ VAST_API_KEY: "wrong-key-Zx81" });
  const file = await pod.until("it is blocked", (f) => f.state === "blocked");
  expect(file.reason).toBe("account_auth");
  expect(file.message).toMatch(/refuses VAST_API_KEY: set a valid key.*404, auth_error/);
  expect(await pod.emulator.mutations()).toEqual([]);
  expect(await pod.everything()).not.toContain("wrong-key-Zx81");
});

test("reads a rotated key from VAST_API_KEY_FILE", async () => {
  const path = `${pod.sandbox.folder}/key`;
  await writeFile(path, "old-key-1234\n");
  await pod.provision({ VAST_API_KEY: "", VAST_API_KEY_FILE: path });
  await pod.until("the old key is refused", (f) => f.reason === "account_auth");
  await writeFile(path, `${API_KEY}\n`);
  await pod.ready();
});

test("says that a query finds no offers, and retries with backoff", async () => {
  await pod.provision({ VAST_SEARCH_QUERY: JSON.stringify({ gpu_name: { eq: "RTX 9999" } }) });
  const file = await pod.until("it is blocked", (f) => f.state === "blocked");
  expect(file.reason).toBe("no_offer");
  expect(file.message).toContain("VAST_SEARCH_QUERY finds no offer: loosen its filters");
  await until(
    "it backs off more than once",
    async () => {
      const { backoff } = (await pod.status()) as { backoff: { failures: number } | null };
      return (backoff?.failures ?? 0) >= 2;
    },
    { timeoutMs: 30_000 },
  );
});

test("replaces a broken upstream file, says so, and loses nothing", async () => {
  const first = await pod.provision();
  const ready = await pod.ready();
  await first.stop();
  await writeFile(pod.upstreamPath, (await readFile(pod.upstreamPath, "utf8")).slice(0, 60));
  const second = await pod.provision();
  const again = await until("the file is whole again", () => pod.upstream().catch(() => null));
  expect(second.lines.join("\n")).toMatch(/upstream.json cannot be used \(it is not JSON/);
  await pod.ready();
  expect((await pod.upstream())?.instance?.id).toBe(ready.instance?.id);
  expect(again.generation).toBeGreaterThan(ready.generation);
});

test("renames a broken state file, says so, and finds its instance by the label", async () => {
  const first = await pod.provision();
  const ready = await pod.ready();
  await first.stop();
  await writeFile(pod.statePath, '{"schema":1,');
  const second = await pod.provision();
  await until("it has made a pass", async () => Number((await pod.status()).passes) >= 2);
  expect(second.lines.join("\n")).toMatch(
    /provisioner.json cannot be used \(it is not JSON \(12 characters.*\)\): it was moved to/,
  );
  expect((await pod.upstream())?.instance?.id).toBe(ready.instance?.id);
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test("DEBUG=true prints debug lines, and without it there are none", async () => {
  const quiet = await pod.provision();
  await pod.ready();
  await quiet.stop();
  const loud = await pod.provision({ DEBUG: "true", VAST_TEMPLATE_IMAGE: "example/app:3" });
  await until("a debug line is printed", () => logOf(loud).some((line) => line.level === "debug"), {
    timeoutMs: 30_000,
  });
  expect(logOf(quiet).filter((line) => line.level === "debug")).toEqual([]);
});

test("DOCKER_LOGIN=none leaves the login to the template", async () => {
  await pod.provision({ DOCKER_LOGIN: "none" });
  await pod.ready();
  const create = (await pod.emulator.requests()).find((r) => r.path.includes("/asks/"));
  expect(create?.body).not.toHaveProperty("image_login");
});

test("the label comes from POD_NAME, or from VAST_LABEL if it is set", async () => {
  const first = await pod.provision({ POD_NAME: "web-3" });
  await pod.ready();
  await first.stop();
  await pod.provision({ POD_NAME: "web-3", VAST_LABEL: "k8s_pod=prod/web-3", STATE_PATH: `${pod.statePath}.2` });
  await pod.until("its own instance serves", (f) => f.server !== null && f.generation > 6, 30_000);
  await until("both are there", async () => (await pod.emulator.live("k8s_pod=prod/web-3")).length === 1);
  expect(await pod.emulator.live("k8s_pod=web-3")).toHaveLength(1);
});

test("VAST_POLICY=no-destroy keeps serving an instance with another image and says what it suppresses", async () => {
  const first = await pod.provision();
  const ready = await pod.ready();
  await first.stop();
  await pod.provision({ VAST_POLICY: "no-destroy", VAST_TEMPLATE_IMAGE: "example/app:9" });
  const file = await pod.until("the plan is shown", (f) =>
    f.message.includes(`suppressed by VAST_POLICY=no-destroy: destroy ${ready.instance?.id} (image_changed)`),
  );
  expect(file).toMatchObject({ state: "ready", server: ready.server });
  expect(await pod.emulator.live(pod.label)).toHaveLength(1);
});

test("VAST_MAX_DPH excludes more expensive offers from the search and from the choice", async () => {
  await pod.emulator.send("PUT", "offers", [{ id: 801, dph_total: 0.9 }]);
  await pod.provision({ VAST_MAX_DPH: "0.5" });
  const file = await pod.until("it is blocked", (f) => f.reason === "no_offer");
  expect(file.message).toContain("VAST_MAX_DPH");
  const search = (await pod.emulator.requests()).find((r) => r.path === "/api/v0/bundles/");
  expect(search?.body).toMatchObject({ dph_total: { lte: 0.5 } });
});

test("answers /livez, /readyz, /status and /metrics on its status port", async () => {
  await pod.provision();
  await pod.ready();
  const base = `http://127.0.0.1:${pod.env().PROVISIONER_STATUS_PORT}`;
  expect((await fetch(`${base}/livez`)).status).toBe(200);
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
  // The pass that has published the file ends a moment later.
  await until("the status shows it", async () => (await pod.status()).state === "ready");
  expect(await pod.status()).toMatchObject({ pod: "vast-pod-0", label: pod.label, reason: "instance_ready" });
  const metrics = await fetch(`${base}/metrics`);
  expect(metrics.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await metrics.text();
  expect(text).toMatch(/^vast_pod_ready 1$/m);
  expect(text).toMatch(/^vast_pod_creates_total\{outcome="created"\} 1$/m);
  expect(text).toMatch(/^vast_pod_api_calls_total\{endpoint="create",outcome="ok"\} 1$/m);
  expect(text).toMatch(/^vast_pod_time_to_ready_seconds_count 1$/m);
});

test("says that the status port is taken, with exit code 1", async () => {
  const first = await pod.provision();
  await pod.ready();
  const { exit, output } = await ended({ STATE_PATH: `${pod.statePath}.2` });
  expect(exit.code).toBe(1);
  expect(output).toMatch(/PROVISIONER_STATUS_PORT/);
  expect(first.exit()).toBeNull();
});

test("query explains a search query without any other setting, and rejects a bad one with the position of the error", async () => {
  const shown = await ended({ VAST_API_KEY: "" }, ["query", "--json", "gpu_ram>=24", "num_gpus=1", "--no-default"]);
  expect(shown.exit.code).toBe(0);
  expect(JSON.parse(shown.output)).toEqual({ filters: { gpu_ram: { gte: 24_000 }, num_gpus: { eq: "1" } } });
  const refused = await ended({ VAST_API_KEY: "" }, ["query", "-num_gpus=1"]);
  expect(refused.exit.code).toBe(2);
  expect(refused.output).toContain('at position 0, "-": Unconsumed text.');
});

test("destroy asks for confirmation, and refuses to run without a terminal", async () => {
  await pod.provision();
  await pod.ready();
  const { exit, output } = await ended({}, ["destroy"]);
  expect(exit.code).toBe(1);
  expect(output).toContain("--yes");
  expect(await pod.emulator.live(pod.label)).toHaveLength(1);
});

test("destroy --yes destroys only this pod's instance, and verifies it", async () => {
  const provisioner = await pod.provision();
  const ready = await pod.ready();
  await pod.emulator.send("POST", "instances", { label: "k8s_pod=other" });
  await provisioner.stop();
  const { exit, output } = await ended({}, ["destroy", "--yes"]);
  expect(exit.code).toBe(0);
  expect(output).toContain(`Destroyed and verified: ${ready.instance?.id}.`);
  expect(await pod.emulator.live(pod.label)).toEqual([]);
  expect(await pod.emulator.live("k8s_pod=other")).toHaveLength(1);
});

test("destroy says that nothing is billed when there is no instance, and warns of a running provisioner", async () => {
  const nothing = await ended({}, ["destroy", "--yes"]);
  expect(nothing.exit.code).toBe(0);
  expect(nothing.output).toContain("nothing is being billed");
  await pod.provision();
  await pod.ready();
  const beside = await ended({}, ["destroy", "--yes"]);
  expect(beside.output).toContain("will create another instance: stop it first");
});
