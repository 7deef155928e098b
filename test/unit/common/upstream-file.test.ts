import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatUpstreamFile,
  isHost,
  parseUpstreamFile,
  sameServer,
  type UpstreamFile,
} from "../../../common/upstream-file.ts";

const file: UpstreamFile = {
  schema: 1,
  generation: 12,
  pod: "vast-pod-0",
  state: "ready",
  reason: "instance_ready",
  message: "instance 7835610 (RTX 4090, $0.316/h) is serving",
  server: { scheme: "http", host: "203.0.113.9", port: 41234 },
  instance: { id: 7835610, hostId: 77001, machineId: 4821, image: "example/app:2", templateHash: "4e17" },
  updatedAt: "2026-11-23T15:00:00.000Z",
};
const parse = (over: object) => parseUpstreamFile(JSON.stringify({ ...file, ...over }));
const problem = (over: object) => {
  const parsed = parse(over);
  return parsed.ok ? "" : parsed.problem;
};

describe("the upstream file", () => {
  test("is parsed as it was written", () => {
    expect(parseUpstreamFile(formatUpstreamFile(file))).toEqual({ ok: true, file });
    expect(formatUpstreamFile(file)).toMatch(/^\{.*\}\n$/);
  });

  test("may have neither server nor instance", () => {
    expect(parse({ server: null, instance: null, state: "provisioning" }).ok).toBe(true);
  });

  test("may lack fields that the API's row lacks", () => {
    const instance = { ...file.instance, hostId: null, machineId: null, templateHash: null };
    expect(parse({ instance }).ok).toBe(true);
  });

  test("may have fields that this version does not know", () => {
    expect(parse({ added: 1, server: { ...file.server, weight: 2 } })).toEqual({ ok: true, file });
  });

  test("of a newer schema is refused with the remedy", () => {
    expect(problem({ schema: 2, server: "of another shape" })).toBe(
      "schema 2 is newer than 1: run provisioner and reloader of the same version",
    );
  });

  test.each(["", "{", '{"schema":1', "null", "[]", '"text"'])(
    "is refused when it is not an upstream file: %j",
    (text) => {
      expect(parseUpstreamFile(text).ok).toBe(false);
    },
  );

  test.each([
    [{ generation: 0 }, "generation"],
    [{ generation: 1.5 }, "generation"],
    [{ pod: "" }, "pod"],
    [{ state: "up" }, "state"],
    [{ server: { ...file.server, host: "a; }" } }, "server.host"],
    [{ server: { ...file.server, port: 0 } }, "server.port"],
    [{ server: { ...file.server, port: 65536 } }, "server.port"],
    [{ server: { ...file.server, port: "80" } }, "server.port"],
    [{ server: { ...file.server, scheme: "ftp" } }, "server.scheme"],
    [{ server: undefined }, "server"],
    [{ updatedAt: "yesterday" }, "updatedAt"],
  ])("names the field that is wrong: %j", (over, field) => expect(problem(over)).toContain(`${field}: `));
});

describe("a host", () => {
  test.each([
    "203.0.113.9",
    "2001:db8::9",
    "::ffff:203.0.113.9",
    "example.com",
    "a",
    "gpu-1.example.com",
    "1a.example",
  ])("may be %s", (host) => expect(isHost(host)).toBe(true));

  test.each([
    "",
    " ",
    "a; }",
    "a b",
    "a\n",
    "a\0",
    "$host",
    "a{b}",
    '"a"',
    "a/b",
    "a:80",
    "[2001:db8::9]",
    "fe80::1%eth0",
    "999.1.1.1",
    "1.2.3",
    "-a.example",
    "a-.example",
    "a..b",
    ".a",
    "a.",
    "a_b",
    "exämple.com",
    "a".repeat(64),
    `${"a.".repeat(127)}a`,
  ])("is never %j", (host) => expect(isHost(host)).toBe(false));

  test("never contains a character that could end an nginx directive", () => {
    const hostile = fc.stringMatching(/^[a-z0-9.;{}$"'\\ \n\t#:%/[\]_-]{1,40}$/);
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: "binary" }), fc.webUrl()), (text) => {
        if (isHost(text)) expect(text).toMatch(/^[A-Za-z0-9.:-]+$/);
      }),
      { numRuns: 5000 },
    );
  });

  test("is every IP address and every name that a resolver knows", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), (text) => {
        expect(isHost(text)).toBe(true);
      }),
    );
  });
});

test("two servers are the same by scheme, host and port", () => {
  const a = { scheme: "http" as const, host: "h", port: 1 };
  expect(sameServer(a, { ...a })).toBe(true);
  expect(sameServer(null, null)).toBe(true);
  for (const b of [null, { ...a, scheme: "https" as const }, { ...a, host: "i" }, { ...a, port: 2 }])
    expect(sameServer(a, b)).toBe(false);
});
