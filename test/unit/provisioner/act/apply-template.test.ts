import { describe, expect, test } from "vitest";
import { applyTemplate } from "../../../../provisioner/act/apply-template.ts";
import type { WantedTemplate } from "../../../../provisioner/template/file.ts";
import { VastError, type VastErrorKind } from "../../../../provisioner/vast/errors.ts";
import type { Template } from "../../../../provisioner/vast/rows.ts";
import type { OwnTemplate } from "../../../../provisioner/vast/template-calls.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient } from "../fakes.ts";

const LOGIN = { user: "me", password: "sekrit", host: "registry.example", text: "" };
const WANTED: WantedTemplate = {
  image: "example/app:2",
  ports: null,
  env: null,
  secretNames: [],
  login: null,
  fields: { onstart: "new" },
  secrets: [],
};

const templateOf = (hash: string, id = 7): Template => ({
  id,
  hash,
  name: "demo",
  creatorId: 1,
  diskSpace: 8,
  publishedPorts: 0,
});
const own = (onstart: string, hash = `hash-${onstart}`, id = 7): OwnTemplate => ({
  template: templateOf(hash, id),
  row: { image: "example/app:2", onstart, docker_login_repo: LOGIN.host },
});
const failure = (kind: VastErrorKind, reached = true) =>
  new VastError({ kind, call: "PUT /api/v0/template/", status: 400, slug: "", text: "", reached });

interface Case {
  /** What each read of the account's templates answers; the last one for all that follow. */
  reads: readonly (readonly OwnTemplate[])[];
  write?: () => Template;
  /** Whether a Redis is there, and whether the turn is free. */
  turn?: "free" | "taken";
  wanted?: Partial<WantedTemplate>;
  mark?: string;
}

async function run({ reads, write, turn, wanted = {}, mark }: Case) {
  const [journal, ended]: [string[], unknown[]] = [[], []];
  let count = 0;
  const client = fakeClient(journal, {
    templates: () => [...(reads[Math.min(count++, reads.length - 1)] ?? [])],
    writeTemplate: () => {
      if (write === undefined) throw new Error("no write was expected");
      return write();
    },
  });
  const marks: unknown[] = [];
  const held = {
    end: async (written: boolean, applied: string | null) => {
      ended.push(written);
      marks.push(applied);
    },
  };
  const record =
    turn === undefined ? null : { begin: async () => (turn === "free" ? held : null), isApplied: async () => false };
  const parts = { client, clock: fakeClock(), record, mark: mark ?? null, absence: null };
  const outcome = await applyTemplate(parts, { ...WANTED, ...wanted }, "demo").catch((error: unknown) => error);
  return { outcome, journal, ended, marks };
}
describe("the account's template", () => {
  test("is created when there is none, and read again", async () => {
    const { outcome, journal } = await run({ reads: [[], [own("new")]], write: () => templateOf("hash-new") });
    expect(journal).toEqual(["templates", "create template", "templates"]);
    expect(outcome).toMatchObject({ kind: "written", created: true, template: { hash: "hash-new" }, left: [] });
  });

  test("is edited by its hash when it differs", async () => {
    const { outcome, journal } = await run({
      reads: [[own("old")], [own("new")]],
      write: () => templateOf("hash-new"),
    });
    expect(journal).toEqual(["templates", "edit template hash-old", "templates"]);
    expect(outcome).toMatchObject({ kind: "written", created: false, left: [] });
  });

  test("may come back under a new id, beside the one that others use", async () => {
    const shown = [own("new", "hash-new", 9), own("old")];
    const { outcome } = await run({ reads: [[own("old")], shown], write: () => templateOf("hash-new", 9) });
    expect(outcome).toMatchObject({ kind: "written", template: { id: 9 } });
  });

  test("is not written when it is as wanted", async () => {
    const { outcome, journal, ended } = await run({ reads: [[own("new")]], turn: "free" });
    expect([outcome, journal]).toEqual([{ kind: "same", template: templateOf("hash-new") }, ["templates"]]);
    expect(ended).toEqual([false]);
  });

  test("is written by one program at a time, and the pods are told", async () => {
    const taken = await run({ reads: [[own("old")]], turn: "taken" });
    expect([taken.outcome, taken.journal]).toEqual([{ kind: "waiting" }, []]);
    const free = await run({ reads: [[own("old")], [own("new")]], write: () => templateOf("hash-new"), turn: "free" });
    expect(free.ended).toEqual([true]);
  });

  test("has a login that the API never shows: it is written again", async () => {
    const wanted = { login: LOGIN };
    const { outcome } = await run({ reads: [[own("new")]], wanted, write: () => templateOf("hash-new") });
    expect(outcome).toMatchObject({ kind: "written", left: [] });
  });
});

test("a template of another name with this content is not taken for the one that was to be created", async () => {
  const other = { ...templateOf("hash-new", 3), name: "other" };
  const { outcome } = await run({ reads: [[]], write: () => other });
  expect(outcome).toBeInstanceOf(Error);
});

describe("a write that fails", () => {
  const refuse = (error: VastError) => () => {
    throw error;
  };

  test.each(["invalid", "not_found", "unavailable", "malformed"] as const)(
    "is none when the account then has the content (%s): another pod was faster, or only the answer was lost",
    async (kind) => {
      const { outcome } = await run({ reads: [[own("old")], [own("new")]], write: refuse(failure(kind)) });
      expect(outcome).toMatchObject({ kind: "written", template: { hash: "hash-new" } });
    },
  );

  test.each(["invalid", "unavailable"] as const)(
    "is one when the account has not (%s), and ends the turn",
    async (kind) => {
      const error = failure(kind);
      const { outcome, ended } = await run({ reads: [[own("old")]], write: refuse(error), turn: "free" });
      expect([outcome, ended]).toEqual([error, [true]]);
      expect((await run({ reads: [[]], write: refuse(error) })).outcome).toBe(error);
    },
  );

  test.each(["auth", "rate_limited", "no_credit", "not_sent"] as const)(
    "of the account asks nothing more (%s)",
    async (kind) => {
      const { outcome, journal } = await run({ reads: [[own("old")]], write: refuse(failure(kind)) });
      expect(outcome).toMatchObject({ kind });
      expect(journal).toEqual(["templates", "edit template hash-old"]);
    },
  );

  test("is one when only the login was to be written", async () => {
    const { outcome } = await run({
      reads: [[own("new")]],
      wanted: { login: LOGIN },
      write: refuse(failure("invalid")),
    });
    expect(outcome).toMatchObject({ kind: "invalid" });
  });

  test("is none when the API has another form of the content: what is left is named", async () => {
    const { outcome } = await run({
      reads: [[own("old")], [own("NEW", "hash-new")]],
      write: () => templateOf("hash-new"),
    });
    expect(outcome).toMatchObject({ kind: "written", left: [{ field: "onstart", wanted: "new", reported: "NEW" }] });
  });

  test("is none when the account does not show it yet: then the answer counts", async () => {
    const { outcome, journal } = await run({ reads: [[own("old")]], write: () => templateOf("hash-new") });
    expect(outcome).toMatchObject({ kind: "written", template: { hash: "hash-new" }, left: [] });
    expect(journal.filter((entry) => entry === "templates")).toHaveLength(4);
  });
});

describe("of a pod that starts", () => {
  const login = LOGIN;

  test("the content is marked also where the API shows it in another form, so that the pods that start with it do not write it again", async () => {
    const reads = [[own("old")], [own("NEW", "hash-new")]];
    const { outcome, marks } = await run({ reads, write: () => templateOf("hash-new"), turn: "free", mark: "m1" });
    expect([outcome, marks]).toMatchObject([{ kind: "written" }, ["m1"]]);
  });

  test("the content is marked when the account has it, for the pods that start with it", async () => {
    const same = await run({ reads: [[own("new")]], turn: "free", mark: "m1" });
    expect([same.outcome, same.marks]).toMatchObject([{ kind: "same" }, ["m1"]]);
    const reads = [[own("old")], [own("new")]];
    const written = await run({ reads, write: () => templateOf("hash-new"), turn: "free", mark: "m1" });
    expect([written.outcome, written.marks]).toMatchObject([{ kind: "written" }, ["m1"]]);
  });

  test("nothing is marked when it was refused, or shows otherwise", async () => {
    const refused = await run({
      reads: [[own("old")]],
      write: () => {
        throw failure("invalid");
      },
      turn: "free",
      mark: "m1",
    });
    expect(refused.marks).toEqual([null]);
    const other = await run({ reads: [[own("old")]], write: () => templateOf("hash-old"), turn: "free", mark: "m1" });
    expect(other.marks).toEqual([null]);
  });

  test("a login alone is not written again: each start would do that", async () => {
    const { outcome, journal } = await run({ reads: [[own("new")]], turn: "free", wanted: { login }, mark: "m1" });
    expect(outcome).toMatchObject({ kind: "same" });
    expect(journal.filter((line) => line.startsWith("edit"))).toEqual([]);
  });
});
