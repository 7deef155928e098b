import { describe, expect, test } from "vitest";
import { applyUntilDone } from "../../../../provisioner/act/template-at-start.ts";
import type { WantedTemplate } from "../../../../provisioner/template/file.ts";
import type { OwnTemplate } from "../../../../provisioner/vast/template-calls.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeLog, vastError } from "../fakes.ts";

const WANTED: WantedTemplate = {
  image: "example/app:2",
  ports: null,
  env: null,
  secretNames: [],
  login: null,
  fields: { onstart: "new" },
  secrets: [],
};
const own = (onstart: string): OwnTemplate => ({
  template: { id: 7, hash: onstart, name: "demo", creatorId: 1, diskSpace: 8, publishedPorts: 0 },
  row: { image: "example/app:2", onstart },
});

interface Case {
  /** What each read answers, or throws; the last one for all that follow. */
  reads: readonly (OwnTemplate | "fails")[];
  /** Whether the turn to write is free, by attempt. */
  turns?: readonly boolean[];
  applied?: readonly boolean[];
}

function setup({ reads, turns = [true], applied = [false] }: Case) {
  const clock = fakeClock();
  const journal: string[] = [];
  const { log, lines } = fakeLog();
  const nth = <T>(all: readonly [T, ...T[]] | readonly T[]) => {
    let count = 0;
    return () => all[Math.min(count++, all.length - 1)];
  };
  const [read, turn, isApplied] = [nth(reads), nth(turns), nth(applied)];
  const client = fakeClient(journal, {
    templates: () => {
      const one = read();
      if (one === undefined || one === "fails") throw vastError("invalid");
      return [one];
    },
    writeTemplate: () => own("new").template,
  });
  const held = { end: async () => undefined };
  const record = {
    begin: async () => (turn() === true ? held : null),
    isApplied: async () => isApplied() === true,
  };
  const parts = { client, clock, log, record, mark: "m", readAccountId: async () => 1 };
  const stop = new AbortController();
  let over = false;
  const done = applyUntilDone(parts, WANTED, "demo", stop.signal).then(() => {
    over = true;
  });
  return { clock, journal, lines, stop, done, isOver: () => over };
}

describe("a pod that starts with a template file", () => {
  test("writes the template where it differs, and says so", async () => {
    const { done, lines, journal } = setup({ reads: [own("old"), own("new")] });
    await done;
    expect(journal.includes("edit template old")).toBe(true);
    expect(lines).toMatchObject([{ level: "info", event: "template", taken: 7 }]);
  });

  test("writes nothing where the account has the content", async () => {
    const { done, lines, journal } = setup({ reads: [own("new")] });
    await done;
    expect(journal.filter((line) => line.startsWith("edit"))).toEqual([]);
    expect(lines).toEqual([]);
  });

  test("asks the API nothing when another pod has made sure of it", async () => {
    const { done, journal } = setup({ reads: ["fails"], applied: [true] });
    await done;
    expect(journal).toEqual([]);
  });

  test("waits while another pod is at it", async () => {
    const { clock, isOver, journal, done } = setup({ reads: ["fails"], turns: [false], applied: [false, false, true] });
    await clock.advance(5000);
    expect([isOver(), journal]).toEqual([false, []]);
    await clock.advance(1000);
    await done;
  });

  test("logs a refusal, and tries again later and later, until it is stopped", async () => {
    const { clock, lines, isOver, done, stop } = setup({ reads: ["fails"] });
    await clock.advance(9000);
    expect(lines).toMatchObject([{ level: "warn", event: "template" }]);
    expect(String(lines[0]?.msg)).toMatch(/could not be made as VAST_TEMPLATE_FILE says .* tried again in 10 s/);
    await clock.advance(22_000);
    expect(lines).toHaveLength(3);
    expect(isOver()).toBe(false);
    stop.abort();
    await done;
  });
});
