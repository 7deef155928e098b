import { describe, expect, test } from "vitest";
import { warningOfCreated } from "../../../../provisioner/act/apply-template.ts";
import { applyUntilDone } from "../../../../provisioner/act/template-at-start.ts";
import type { WantedTemplate } from "../../../../provisioner/template/file.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import type { OwnTemplate } from "../../../../provisioner/vast/template-calls.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeLog, vastError } from "../fakes.ts";
import { row } from "../plan/situation.ts";

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
  reads: readonly (OwnTemplate | "fails" | "none")[];
  /** The instances of the account; null: they cannot be read. */
  rows?: readonly Instance[] | null;
  wasKnown?: boolean;
  /** Whether the turn to write is free, by attempt. */
  turns?: readonly boolean[];
  applied?: readonly boolean[];
}

function setup({ reads, turns = [true], applied = [false], rows = [], wasKnown = false }: Case) {
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
      return one === "none" ? [] : [one];
    },
    rows: () => {
      if (rows === null) throw vastError("invalid");
      return rows;
    },
    writeTemplate: () => own("new").template,
  });
  const held = { end: async () => undefined };
  const record = {
    begin: async () => (turn() === true ? held : null),
    isApplied: async () => isApplied() === true,
  };
  const parts = { client, clock, log, record, mark: "m", wasKnown: () => wasKnown, readAccountId: async () => 1 };
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

  test("creates the template of an account without instances when a second reading shows none either", async () => {
    const { clock, done, lines, journal } = setup({ reads: ["none", "none", own("new")] });
    const created = () => journal.some((line) => line.startsWith("create template"));
    await clock.advance(9000);
    expect(created()).toBe(false);
    expect(String(lines[0]?.msg)).toMatch(/shows no template "demo": it is created if that is still so in 10 s/);
    await clock.advance(2000);
    await done;
    expect(created()).toBe(true);
    const warned = () =>
      lines.some(({ level, msg }) => level === "warn" && /publishes no port.*Add `ports`/.test(`${msg}`));
    expect(warned()).toBe(true);
  });

  test.each<[string, readonly string[] | null, boolean]>([
    ["none", null, true],
    ["an empty list", [], true],
    ["a port", ["8000:8000"], false],
  ])("what a new template publishes by its file: %s", (_, ports, warns) => {
    expect(warningOfCreated({ ...WANTED, ports }) !== null).toBe(warns);
  });

  test.each<[string, Pick<Case, "rows" | "wasKnown">]>([
    ["this pod has seen it", { wasKnown: true }],
    ["an instance was made from a template", { rows: [row({ label: "k8s_pod=other" })] }],
    ["the instances cannot be read", { rows: null }],
  ])("does not create a second one for wrong answers: %s", async (_, seen) => {
    const { clock, done, lines, journal } = setup({
      reads: [...Array(28).fill("none"), own("old"), own("new")],
      ...seen,
    });
    await clock.advance(16 * 60_000);
    await done;
    const said = lines.filter(({ level }) => level !== "debug");
    expect(said).toMatchObject([{ level: "warn" }, { level: "info", taken: 7 }]);
    expect(journal.filter((line) => /^(create|edit) template/.test(line))).toEqual(["edit template old"]);
  });

  test("creates one that is missing for a quarter of an hour", async () => {
    const { clock, done, journal } = setup({ reads: [...Array(31).fill("none"), own("new")], wasKnown: true });
    const created = () => journal.some((line) => line.startsWith("create template"));
    await clock.advance(14 * 60_000);
    expect(created()).toBe(false);
    await clock.advance(2 * 60_000);
    await done;
    expect(created()).toBe(true);
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
