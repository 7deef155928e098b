import fc from "fast-check";
import { expect, test } from "vitest";
import { localKind } from "../../../../common/local-address.ts";
import { refusedAddress } from "../../../../reloader/inputs/refused-address.ts";
import { server } from "../samples.ts";

const OWN = "192.0.2.1";
const rules = (allowLocal: boolean) => ({ allowLocal, ownPorts: [3000, 8081, 8082], ownAddresses: () => [OWN] });

test("an address of this machine is refused, whatever the server's name, and the message has both and the remedy", () => {
  const why = refusedAddress(server(80, "gpu.example"), "127.0.0.1", rules(false));
  expect(why).toMatch(/^127\.0\.0\.1, the address of gpu\.example, is a loopback address.*UPSTREAM_ALLOW_LOCAL=true/);
  expect(refusedAddress(server(80, "127.0.0.1"), "127.0.0.1", rules(true))).toBeNull();
});

test.each([
  ["127.0.0.1", "a loopback address"],
  [OWN, "an address of an interface"],
])("the proxy's own ports on %s (%s) are refused even if local addresses are allowed", (address) => {
  for (const port of [3000, 8081, 8082])
    expect(refusedAddress(server(port, address), address, rules(true))).toContain(
      "nginx would send requests to itself",
    );
  expect(refusedAddress(server(3000, `::ffff:${OWN}`), `::ffff:${OWN}`, rules(true))).not.toBeNull();
  expect(refusedAddress(server(8000, OWN), OWN, rules(false))).toBeNull();
  expect(refusedAddress(server(3000), "203.0.113.9", rules(false))).toBeNull();
});

test("exactly local addresses and this pod's own ports are refused", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("127.0.0.1", "::1", "169.254.1.1", OWN));
  const port = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(3000, 8081, 8082));
  fc.assert(
    fc.property(address, port, fc.boolean(), (host, number, allowLocal) => {
      const isLocal = localKind(host) !== null;
      const isOwn = (isLocal || host === OWN) && [3000, 8081, 8082].includes(number);
      const why = refusedAddress(server(number, host), host, rules(allowLocal));
      expect(why !== null).toBe(isOwn || (isLocal && !allowLocal));
    }),
    { numRuns: 2_000 },
  );
});
