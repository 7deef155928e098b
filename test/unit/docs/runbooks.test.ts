// Every alert and every reason that blocks a pod has its section in the runbooks, and none is left of what is gone.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { BLOCKING_REASONS } from "../../../provisioner/model/reason-help.ts";
import { ROOT } from "../../docs/documents.ts";

const runbooks = await readFile(`${ROOT}deploy/runbooks.md`, "utf8");
const { groups }: { groups: { rules: { alert: string }[] }[] } = parse(
  await readFile(`${ROOT}deploy/monitoring/alerts.yaml`, "utf8"),
);
const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
const section = (heading: string) => runbooks.split(/^### /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";

/** The headings of a part of the document. */
const headings = (name: string) => {
  const part = runbooks.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? "";
  return [...part.matchAll(/^### (\S+)$/gm)].map(([, heading]) => `${heading}`);
};

test("the sections are those of the alerts, in their order", () => {
  expect(headings("Alerts")).toEqual(alerts);
});

// A program that cannot start is blocked, too, before it has any rules.
const blocking = [...BLOCKING_REASONS, "cannot_start"].sort();

test("and those of the reasons that block a pod, in the order of the alphabet", () => {
  expect(headings("Blocked reasons")).toEqual(blocking);
});

test.each([...alerts, ...blocking])("%s: meaning, impact, diagnosis and remedy", (heading) => {
  const parts = [...section(heading).matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, name]) => name);
  expect(parts).toEqual(["Meaning", "Impact", "Diagnosis", "Remedy"]);
});
