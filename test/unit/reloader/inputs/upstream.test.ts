import { describe, expect, test } from "vitest";
import { formatUpstreamFile } from "../../../../common/upstream-file.ts";
import { decideUpstream, readUpstream, upstreamOfGood } from "../../../../reloader/inputs/upstream.ts";
import { server, upstreamFile } from "../samples.ts";

const PATH = "/run/upstream.json";
const disk = (text: string | { code: string }) => async () => {
  if (typeof text === "string") return { text, writtenAt: 1000 };
  throw Object.assign(new Error(text.code), { code: text.code });
};

describe("reading the upstream file", () => {
  test("returns the time of its last write", async () => {
    const read = await readUpstream(PATH, disk(formatUpstreamFile(upstreamFile())));
    expect(read).toEqual({ kind: "file", file: upstreamFile(), writtenAt: 1000 });
  });

  test("distinguishes a missing file from one that cannot be read", async () => {
    expect(await readUpstream(PATH, disk({ code: "ENOENT" }))).toEqual({ kind: "missing" });
    expect(await readUpstream(PATH, disk({ code: "EACCES" }))).toEqual({
      kind: "refused",
      problem: "/run/upstream.json cannot be read (EACCES): give the reloader's user read access to it and its folder",
    });
    expect(await readUpstream(PATH, disk({ code: "EISDIR" }))).toMatchObject({ kind: "refused" });
  });

  const json = (change: object) => JSON.stringify({ ...upstreamFile(), ...change });
  test.each([
    ["half-written", formatUpstreamFile(upstreamFile()).slice(0, 40), "half-written"],
    ["empty", "", "half-written"],
    ["of a higher schema", json({ schema: 2 }), "schema 2 is newer than 1"],
    ["with a hostile host", json({ server: { ...server(), host: "a; }" } }), "server.host"],
    ["with port 0", json({ server: { ...server(), port: 0 } }), "server.port"],
    ["without a server field", json({ server: undefined }), "server"],
  ])("refuses one that is %s, with the file, the fault and the remedy", async (_, text, fault) => {
    const read = await readUpstream(PATH, disk(text));
    if (read.kind !== "refused") throw new Error("expected a refusal");
    expect(read.problem).toContain(`${PATH} cannot be used`);
    expect(read.problem).toContain(fault);
    expect(read.problem).toContain("rename it into place");
  });
});

describe("deciding which server is desired", () => {
  test("the file decides, whatever the earlier decision was", () => {
    const read = { kind: "file" as const, file: upstreamFile({ generation: 3, server: null }), writtenAt: 1 };
    expect(decideUpstream(read, upstreamOfGood(server()))).toMatchObject({
      desired: { generation: 3, server: null },
      problem: null,
    });
  });

  test("the server of the file is desired in any state", () => {
    const read = { kind: "file" as const, file: upstreamFile({ state: "blocked" }), writtenAt: 1 };
    expect(decideUpstream(read, null).desired.server).toEqual(server());
  });

  test("a pod is ready unless the file says no", () => {
    const desired = (change: object) =>
      decideUpstream({ kind: "file", file: upstreamFile(change), writtenAt: 1 }, null).desired.ready;
    expect([desired({}), desired({ ready: true }), desired({ ready: false })]).toEqual([true, true, false]);
  });

  test("a missing file at a first start means no server", () => {
    expect(decideUpstream({ kind: "missing" }, null)).toEqual({ desired: upstreamOfGood(null), problem: null });
  });

  test("a file that disappears changes nothing and is a problem", () => {
    const before = { ...upstreamOfGood(server()), generation: 4 };
    expect(decideUpstream({ kind: "missing" }, before)).toMatchObject({
      desired: before,
      problem: expect.stringContaining("gone"),
    });
  });

  test("an unusable file at a first start means no server, and is a problem", () => {
    expect(decideUpstream({ kind: "refused", problem: "it is bad" }, null)).toMatchObject({
      desired: { server: null, page: { reason: "upstream_file_refused" } },
      problem: expect.stringContaining("it is bad"),
    });
  });
});
