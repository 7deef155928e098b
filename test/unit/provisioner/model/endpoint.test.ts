import { describe, expect, test } from "vitest";
import { chooseEndpoint } from "../../../../provisioner/model/endpoint.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { MINUTE, row } from "../plan/situation.ts";

const choose = (over: Partial<Instance>, wanted?: number, noMapForMs = 0) =>
  chooseEndpoint(row({ directPortStart: null, ...over }), wanted, noMapForMs);
const port = (choice: ReturnType<typeof choose>) => (choice.found ? choice.endpoint.port : choice.why);

describe("the port to serve", () => {
  test("is the only published one", () => {
    expect(choose({ ports: { "8000/tcp": 41234 } })).toEqual({
      found: true,
      endpoint: { host: "203.0.113.9", port: 41234 },
    });
  });

  test("is never sshd's or Vast.ai's own port unless VAST_UPSTREAM_PORT names it", () => {
    expect(port(choose({ ports: { "22/tcp": 1, "8080/tcp": 2, "8000/tcp": 3 } }))).toBe(3);
    const choice = choose({ ports: { "22/tcp": 1, "8080/tcp": 2 }, directPortStart: 1 });
    expect(choice).toMatchObject({ found: false, ours: true });
  });

  test("is sshd's neither where that is the only one, nor the vendor's own", () => {
    for (const ports of [{ "22/tcp": 1 }, { "8080/tcp": 1 }]) {
      expect(choose({ ports, directPortStart: 1 })).toMatchObject({ found: false, ours: true });
    }
  });

  test("is not direct_port_start where that is the vendor's own", () => {
    const ports = { "8080/tcp": 4, "8000/tcp": 3, "9000/tcp": 5 };
    expect(choose({ ports, directPortStart: 4 })).toMatchObject({ found: false, ours: true });
  });

  test("is missing when there are several and direct_port_start is not among them, and the message lists them", () => {
    const choice = choose({ ports: { "8000/tcp": 3, "9000/tcp": 5 }, directPortStart: 70 });
    expect(port(choice)).toBe("the published ports are 8000/tcp, 9000/tcp: set VAST_UPSTREAM_PORT to one of them");
  });

  test("is missing when only UDP ports are published, and the message explains how to publish one", () => {
    expect(port(choose({ ports: { "9000/udp": 1 } }))).toMatch(/none.*-p 8000:8000/);
  });

  test("is not a UDP port", () => {
    expect(port(choose({ ports: { "9000/udp": 1, "8000/tcp": 3 } }))).toBe(3);
  });

  test("is of several the one that is direct_port_start", () => {
    expect(port(choose({ ports: { "8000/tcp": 3, "9000/tcp": 4 }, directPortStart: 4 }))).toBe(4);
  });

  test("is not direct_port_start where that is sshd's", () => {
    const choice = choose({ ports: { "22/tcp": 4, "8000/tcp": 3, "9000/tcp": 5 }, directPortStart: 4 });
    expect(choice).toMatchObject({ found: false, ours: true });
    expect(port(choice)).toMatch(/22\/tcp, 8000\/tcp, 9000\/tcp.*VAST_UPSTREAM_PORT/);
  });

  test("is the one that VAST_UPSTREAM_PORT names, also sshd's", () => {
    expect(port(choose({ ports: { "22/tcp": 1, "8000/tcp": 3 } }, 22))).toBe(1);
  });

  test("is the one that VAST_UPSTREAM_PORT names, whatever else is published and wherever it is", () => {
    const ports = { "8000/tcp": 3, "8080/tcp": 2, "9000/tcp": 5 };
    expect(port(choose({ ports, directPortStart: 3 }, 9000))).toBe(5);
    expect(port(choose({ ports, directPortStart: 3 }, 8080))).toBe(2);
    expect(choose({ ports: { "9000/udp": 5 } }, 9000).found).toBe(false);
  });

  test("is missing when VAST_UPSTREAM_PORT is not published, and the message explains how to publish it", () => {
    const choice = choose({ ports: { "8000/tcp": 3 } }, 9000);
    expect(choice).toMatchObject({ found: false, ours: true });
    expect(port(choice)).toMatch(/VAST_UPSTREAM_PORT 9000.*8000\/tcp.*-p 9000:9000/);
  });
});

describe("without a map", () => {
  test.each([null, {}])("is direct_port_start once the container has run for a minute without one: %j", (ports) => {
    const at = (ms: number) => port(choose({ ports, directPortStart: 4 }, undefined, ms));
    expect(at(MINUTE - 1)).toBe("no public port yet");
    expect(at(MINUTE)).toBe(4);
  });

  test("is never guessed for a port that is named", () => {
    expect(choose({ ports: null, directPortStart: 4 }, 8000, MINUTE)).toMatchObject({ found: false, ours: false });
  });

  test("is nothing without direct_port_start", () => {
    expect(choose({ ports: null }, undefined, MINUTE)).toMatchObject({ found: false, ours: false });
  });
});

describe("the address", () => {
  test("is waited for", () => {
    expect(choose({ address: "" })).toEqual({ found: false, ours: false, why: "no public address yet" });
  });

  test.each(["a; }", "203.0.113.9 evil", "$host", "999.1.1.1"])(
    "never reaches a config when it is none: %s",
    (address) => {
      expect(choose({ address }).found).toBe(false);
    },
  );

  test("may be IPv6", () => {
    expect(choose({ address: "2001:db8::9" })).toMatchObject({ found: true, endpoint: { host: "2001:db8::9" } });
  });
});
