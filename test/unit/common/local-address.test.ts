import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { localKind, localProblem } from "../../../common/local-address.ts";

describe("an address that can only mean this machine or its link", () => {
  test.each([
    ["127.0.0.1", "a loopback address"],
    ["127.255.255.255", "a loopback address"],
    ["::1", "a loopback address"],
    ["0:0:0:0:0:0:0:1", "a loopback address"],
    ["0.0.0.0", "an unspecified address"],
    ["::", "an unspecified address"],
    ["169.254.169.254", "a link-local address"],
    ["fe80::1", "a link-local address"],
    ["febf::1", "a link-local address"],
    ["224.0.0.1", "a multicast address"],
    ["255.255.255.255", "a multicast address"],
    ["ff02::1", "a multicast address"],
    ["::ffff:127.0.0.1", "a loopback address"],
    ["::127.0.0.1", "a loopback address"],
    ["64:ff9b::169.254.169.254", "a link-local address"],
    ["2002:7f00:1::1", "a loopback address"],
    ["localhost", "a name of the machine itself"],
    ["App.LocalHost", "a name of the machine itself"],
  ])("%s is %s", (host, kind) => {
    expect(localKind(host)).toBe(kind);
  });

  test.each([
    "203.0.113.9",
    "10.0.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::ffff:203.0.113.9",
    "2001:db8::1",
    "fd00::1",
    "fec0::1",
    "gpu.example",
    "localhost.example",
  ])("%s is none", (host) => {
    expect(localKind(host)).toBeNull();
  });

  test("is recognised in every way to write an IPv4 address as an IPv6 address", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const [high, low] = [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
        const isLocal = localKind(address) !== null;
        expect(isLocal).toBe(a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254));
        const forms = [`::ffff:${address}`, `::ffff:${high}:${low}`, `64:ff9b::${address}`, `2002:${high}:${low}::5`];
        expect(forms.map((form) => localKind(form) !== null)).toEqual(forms.map(() => isLocal));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("the message names the setting that allows it", () => {
  expect(localProblem("127.0.0.1", "a loopback address")).toContain("UPSTREAM_ALLOW_LOCAL=true");
});
