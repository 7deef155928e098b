import { describe, expect, test } from "vitest";
import { SettingsError } from "../../../../common/settings.ts";
import { readBansRequest } from "../../../../provisioner/commands/bans.ts";

const SETTINGS = { scope: "host", ttlSeconds: 604_800 } as const;
const read = (options: Record<string, unknown>) => readBansRequest(options, SETTINGS);

describe("the options of bans", () => {
  test("are by default those of the settings", () => {
    expect(read({ action: "list", ids: [] })).toEqual({ action: "list" });
    expect(read({ action: "add", ids: ["7", "8"] })).toEqual({
      action: "add",
      kind: "host",
      ids: [7, 8],
      reason: "by_hand",
      ttlSeconds: 604_800,
    });
    expect(readBansRequest({ action: "remove", ids: ["7"] }, { ...SETTINGS, scope: "machine" })).toEqual({
      action: "remove",
      kind: "machine",
      ids: [7],
    });
  });

  test.each([
    ["90", 90],
    ["90s", 90],
    ["90m", 5400],
    ["12h", 43_200],
    ["7d", 604_800],
  ])("a ttl of %s is %i seconds", (ttl, ttlSeconds) => {
    expect(read({ action: "add", ids: ["7"], ttl, machine: true })).toMatchObject({ kind: "machine", ttlSeconds });
  });

  test.each([
    [{ action: "add", ids: [] }, /needs an id/],
    [{ action: "remove", ids: ["x"] }, /whole number/],
    [{ action: "remove", ids: ["-1"] }, /whole number/],
    [{ action: "add", ids: ["7"], ttl: "soon" }, /--ttl/],
    [{ action: "add", ids: ["7"], ttl: "0" }, /--ttl/],
    [{ action: "add", ids: ["7"], reason: "a\u001b[2J" }, /--reason/],
    [{ action: "add", ids: ["7"], machine: true, host: true }, /keep one/],
    [{ action: "remove", ids: ["7"], ttl: "1h" }, /leave them out/],
    [{ action: "list", ids: ["7"] }, /takes no ids/],
    [{ action: "list", ids: [], machine: true }, /--machine/],
  ])("%j is refused", (options, message) => {
    expect(() => read(options)).toThrow(SettingsError);
    expect(() => read(options)).toThrow(message);
  });
});
