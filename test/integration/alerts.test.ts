// The alert rules, run by promtool: each fires in its situation, with texts that name the pod, and is silent in another one.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { promtool } from "../sandbox/promtool.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { ALERT_CASES, type Series } from "./alert-cases.ts";

interface AlertRule {
  alert: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const RULES_FILE = join(ROOT, "deploy/monitoring/alerts.yaml");
const text = await readFile(RULES_FILE, "utf8");
const rules = (parse(text) as { groups: { rules: AlertRule[] }[] }).groups.flatMap((group) => group.rules);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vast-pod-alerts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs promtool: what fires under this name at this minute, for each of the situations. */
async function run(alert: string, at: number, situations: readonly { series: Series; expected: readonly object[] }[]) {
  const file = join(folder, `${alert}.yaml`);
  const tests = situations.map(({ series, expected }) => ({
    interval: "1m",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: `${at}m`, alertname: alert, exp_alerts: expected }],
  }));
  await writeFile(file, stringify({ rule_files: [RULES_FILE], evaluation_interval: "1m", tests }));
  return promtool(["test", "rules", file]);
}

/** The text as Prometheus shows it. A label that is missing is shown as nothing. */
function shown(template: string, labels: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? "");
}

test("promtool accepts the rules", async () => {
  const { code, output } = await promtool(["check", "rules", RULES_FILE]);
  expect(code, output).toBe(0);
});

test("every alert has its cases, and every case its alert", () => {
  expect(Object.keys(ALERT_CASES)).toEqual(rules.map(({ alert }) => alert));
});

describe.each(rules)("$alert", ({ alert, labels, annotations }) => {
  const scenario = ALERT_CASES[alert];
  if (scenario === undefined) return;

  test("fires for the pod that has the trouble, and is silent where nobody has to come", async () => {
    const exp_labels = { ...labels, ...scenario.labels };
    const exp_annotations = Object.fromEntries(
      Object.entries(annotations).map(([name, template]) => [name, shown(template, scenario.labels)]),
    );
    const { code, output } = await run(alert, scenario.at, [
      { series: scenario.fires, expected: [{ exp_labels, exp_annotations }] },
      { series: scenario.silent, expected: [] },
    ]);
    expect(code, output).toBe(0);
  });

  test("says what is wrong and what to do, and names its section in the runbooks", () => {
    expect(Object.keys(annotations)).toEqual(["summary", "description", "runbook_url"]);
    expect(annotations.runbook_url).toBe(`deploy/runbooks.md#${alert.toLowerCase()}`);
    expect(["info", "warning", "critical"]).toContain(labels.severity);
    // Every label in a text must be one that the alert has.
    const named = Object.values(annotations).flatMap((one) =>
      [...one.matchAll(/\$labels\.(\w+)/g)].map(([, name]) => name),
    );
    expect(named.filter((name) => !(`${name}` in scenario.labels))).toEqual([]);
  });
});
