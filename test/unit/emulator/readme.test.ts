// The emulator's README describes what the code has: flags, routes, events, faults and settings, with examples that work.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { effectKinds } from "../../emulator/control/fault-rule.ts";
import { CONTROL_PATH, CONTROL_ROUTES } from "../../emulator/control/routes.ts";
import { createEmulator } from "../../emulator/emulator.ts";
import { EVENTS } from "../../emulator/instances/events.ts";
import { DEFAULT_FLAGS, flagsSchema } from "../../emulator/servers/serve.ts";
import { DEFAULT_SETTINGS } from "../../emulator/settings.ts";

const folder = new URL("../../emulator/", import.meta.url);
const readme = readFileSync(new URL("README.md", folder), "utf8");
const section = (title: string) => readme.split(`## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
/** What stands in backquotes in the first column of a section's table. */
const firstColumn = (title: string) =>
  [...section(title).matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word),
  );
const EXAMPLE = /^curl (?:-X ([A-Z]+) )?http:\/\/127\.0\.0\.1:8090(\S+)(?: -d '(.*)')?$/gm;
const examples = [...readme.matchAll(EXAMPLE)].map(([, method = "GET", url = "", body = ""]) => ({
  method,
  url,
  body,
}));

test("the table of routes is the one in code", () => {
  expect(firstColumn("Control routes")).toEqual(
    CONTROL_ROUTES.map(([method, path]) => `${method} ${CONTROL_PATH}${path}`),
  );
});

describe("the examples", () => {
  const emulator = createEmulator({ clock: { now: () => 1_795_446_000_000 }, seed: 1, machines: 20 });

  test.each(examples)("$method $url works", ({ method, url, body }) => {
    const answer = emulator.handle({ method, url, headers: {}, body, from: "127.0.0.1" });
    expect([answer.status, answer.body]).toEqual([200, expect.any(String)]);
  });

  test("there is one for each route", () => {
    const shape = ({ method, url }: { method: string; url: string }) =>
      `${method} ${url.replace(/\?.*/, "").split("/")[2]}`;
    const routes = CONTROL_ROUTES.map(([method, path]) =>
      shape({ method, url: `${CONTROL_PATH}${path}`.replace("[", "") }),
    );
    expect(examples.map(shape).toSorted()).toEqual(routes.toSorted());
  });
});

test("every flag is in the table, with its default", () => {
  const main = readFileSync(new URL("main.ts", folder), "utf8");
  const names = [...main.matchAll(/^ {4}"?([a-z-]+)"?: \{\s+type: "\w+",/gm)].map(([, name]) => `${name}`);
  const defaults = new Map(Object.entries(DEFAULT_FLAGS).map(([name, value]) => [name, String(value)]));
  const camel = (name: string) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const rows = [...section("Start").matchAll(/^\| `--([a-z-]+)` \| ?(.*?) ?\|/gm)];
  expect(rows.map(([, flag, value]) => [flag, value])).toEqual(
    names.map((name) => [name, defaults.get(camel(name)) ?? ""]),
  );
  expect(names.map(camel).toSorted()).toEqual(Object.keys(flagsSchema.shape).toSorted());
});

test("every event is in the table", () => {
  expect(firstColumn("Events of an instance").toSorted()).toEqual([...EVENTS.keys()].toSorted());
});

test("every effect of a fault is in the table", () => {
  expect(
    firstColumn("Faults")
      .filter((word) => word !== "kind")
      .toSorted(),
  ).toEqual(effectKinds.toSorted());
});

test("every setting is named", () => {
  const names = [...section("Settings").matchAll(/`(\w+)`/g)].map(([, name]) => name);
  expect(names).toEqual(Object.keys(DEFAULT_SETTINGS));
});
