import pino from "pino";
import { expect, test } from "vitest";
import { createRegistry } from "../../../../common/metrics.ts";
import { registerMetrics } from "../../../../reloader/report/metrics.ts";
import type { PassReport } from "../../../../reloader/report/pass-report.ts";
import { Report } from "../../../../reloader/report/report.ts";
import { PASS } from "../samples.ts";

/** The metrics after these passes. */
async function everything(...passes: PassReport[]) {
  const report = new Report(pino({ level: "silent" }), 0, 0);
  const registry = createRegistry();
  registerMetrics(registry, report, async () => ({ busy: 2, idle: 9 }));
  for (const pass of passes) report.finish(pass, 1_000, 1_000);
  const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => line.replace("vast_pod_", "").split(" ")));
}

/** The same without the states, connections, durations and version. */
async function scraped(...passes: PassReport[]) {
  const all = Object.entries(await everything(...passes));
  return Object.fromEntries(
    all.filter(([name]) => !/^(applied_state|nginx_connections|build_info|reload_duration)/.test(name)),
  );
}

test("what is not known before the first pass is left out", async () => {
  expect(await scraped()).toEqual({
    reloader_problem: "0",
    config_refused: "0",
    'reloads_total{outcome="accepted"}': "0",
    'reloads_total{outcome="refused"}': "0",
  });
});

test("the metrics show nginx' connections, which are asked for at each scrape", async () => {
  expect(await everything()).toMatchObject({
    'nginx_connections{state="busy"}': "2",
    'nginx_connections{state="idle"}': "9",
  });
});

test("the metrics show what is desired, what nginx serves and how long the reload took", async () => {
  expect(await scraped(PASS)).toEqual({
    desired_generation: "2",
    applied_generation: "2",
    reloader_problem: "0",
    config_refused: "0",
    nginx_up: "1",
    upstream_timestamp_seconds: "0.4",
    last_reload_timestamp_seconds: "0.5",
    reloader_last_pass_timestamp_seconds: "1",
    'reloads_total{outcome="accepted"}': "1",
    'reloads_total{outcome="refused"}': "0",
  });
});

test("the metrics show a refused config until nginx accepts it, and count its tries", async () => {
  const desired = { ...PASS.desired, generation: 3 };
  const tried = { ...PASS, desired, applied: null, reload: null, problem: "refused", refused: true, refusing: true };
  const waiting = { ...tried, refused: false, nginxUp: null };
  expect(await scraped(PASS, tried, waiting)).toMatchObject({
    desired_generation: "3",
    applied_generation: "2",
    reloader_problem: "1",
    config_refused: "1",
    nginx_up: "1",
    'reloads_total{outcome="refused"}': "1",
  });
});

test("the metrics show that nginx is down", async () => {
  expect(await scraped(PASS, { ...PASS, problem: "nginx is not running", nginxUp: false })).toMatchObject({
    nginx_up: "0",
    reloader_problem: "1",
  });
});

test("exactly one state is 1, and there is no state before the first pass", async () => {
  const states = async (...passes: PassReport[]) =>
    Object.entries(await everything(...passes)).filter(([name]) => name.startsWith("applied_state"));
  expect(await states()).toEqual([]);
  const shown = await states(PASS, { ...PASS, state: "disk" });
  expect(shown.length).toBe(8);
  expect(shown.filter(([, value]) => value === "1")).toEqual([['applied_state{state="disk"}', "1"]]);
});

test("each stage of a reload is counted once, however many passes report it", async () => {
  const accepted = { ...PASS, reload: { at: 500, acceptedMs: 40, settledMs: null } };
  const settled = { ...PASS, reload: { at: 500, acceptedMs: 40, settledMs: 900 } };
  const durations = async (...passes: PassReport[]) =>
    Object.entries(await everything(...passes)).filter(([name]) => /^reload_duration_seconds_(sum|count)/.test(name));
  const none = [
    ['reload_duration_seconds_sum{stage="accepted"}', "0"],
    ['reload_duration_seconds_count{stage="accepted"}', "0"],
    ['reload_duration_seconds_sum{stage="settled"}', "0"],
    ['reload_duration_seconds_count{stage="settled"}', "0"],
  ];
  expect(await durations()).toEqual(none);
  expect(await durations(accepted, accepted)).toEqual([
    ['reload_duration_seconds_sum{stage="accepted"}', "0.04"],
    ['reload_duration_seconds_count{stage="accepted"}', "1"],
    ...none.slice(2),
  ]);
  expect(await durations(accepted, settled, settled)).toEqual([
    ['reload_duration_seconds_sum{stage="accepted"}', "0.04"],
    ['reload_duration_seconds_count{stage="accepted"}', "1"],
    ['reload_duration_seconds_sum{stage="settled"}', "0.9"],
    ['reload_duration_seconds_count{stage="settled"}', "1"],
  ]);
});
