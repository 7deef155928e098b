// Every alert has its section in the runbooks, and no section is left of an alert that is gone.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../../docs/documents.ts";

const runbooks = await readFile(`${ROOT}deploy/runbooks.md`, "utf8");
const { groups }: { groups: { rules: { alert: string }[] }[] } = parse(
  await readFile(`${ROOT}deploy/monitoring/alerts.yaml`, "utf8"),
);
const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
const section = (heading: string) => runbooks.split(/^### /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";

test("the sections are those of the alerts, in their order", () => {
  const part = runbooks.split(/^## /m).find((text) => text.startsWith("Alerts\n")) ?? "";
  expect([...part.matchAll(/^### (\S+)$/gm)].map(([, name]) => name)).toEqual(alerts);
});

test.each(alerts)("%s: meaning, impact, diagnosis and remedy", (alert) => {
  const parts = [...section(alert).matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, name]) => name);
  expect(parts).toEqual(["Meaning", "Impact", "Diagnosis", "Remedy"]);
});
