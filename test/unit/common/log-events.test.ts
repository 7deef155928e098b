import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LOG_EVENTS, type LogEventDescription } from "../../../common/log-events.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const EVENTS = Object.entries<LogEventDescription>(LOG_EVENTS);

/** The events that the sources in `folder` write. */
async function eventsIn(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
    if (!entry.endsWith(".ts")) continue;
    const text = await readFile(join(ROOT, folder, entry), "utf8");
    for (const [, event = ""] of text.matchAll(/\bevent: "([a-z_]+)"/g)) found.add(event);
  }
  return found;
}

describe.each(["provisioner", "reloader"] as const)("the %s", (program) => {
  test("writes exactly the events that the table has for it", async () => {
    const described = EVENTS.filter(([, { by }]) => by.includes(program)).map(([event]) => event);
    expect([...(await eventsIn(program))].toSorted()).toEqual(described.toSorted());
  });
});

test("no shared code writes events: the table would not show which program does", async () => {
  expect([...(await eventsIn("common"))]).toEqual([]);
});

test("every event has a meaning that fits on a line of the documents", () => {
  for (const [event, { meaning }] of EVENTS) {
    expect([event, meaning]).toEqual([event, expect.stringMatching(/^\S.{10,100}\S$/)]);
    expect([event, meaning.endsWith(".")]).toEqual([event, false]);
  }
});
