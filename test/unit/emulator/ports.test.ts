import { describe, expect, it } from "vitest";
import { isObject, type JsonObject } from "../../emulator/json.ts";
import type { Settings } from "../../emulator/settings.ts";
import { listed, rent, type Trial, trial } from "./harness.ts";

function up(
  settings: Partial<Settings>,
  body: JsonObject = {},
  offer: JsonObject = {},
): { t: Trial; row: JsonObject; id: number } {
  const t = trial({ settings: { bootSeconds: 10, ...settings } });
  const id = rent(t, body, offer);
  t.pass(10);
  return { t, id, row: listed(t, id) ?? {} };
}
function hostPort(row: JsonObject, key: string): number {
  const entries = isObject(row.ports) ? row.ports[key] : null;
  const [first] = Array.isArray(entries) ? entries : [];
  return isObject(first) ? Number(first.HostPort) : Number.NaN;
}

describe("published ports", () => {
  it("publishes the requested ports under random numbers, as text", () => {
    const { row } = up({ ipv6Twin: "never" }, { env: { "-p 8000:8000": "1", "-p 8081:8081/udp": "1" } });
    expect(row.ports).toEqual({
      "8000/tcp": [{ HostIp: "0.0.0.0", HostPort: expect.stringMatching(/^\d{5}$/) }],
      "8081/udp": [{ HostIp: "0.0.0.0", HostPort: expect.stringMatching(/^\d{5}$/) }],
    });
  });

  it("repeats each entry for IPv6 with the same number if configured", () => {
    const { row } = up({ ipv6Twin: "always" });
    const port = String(hostPort(row, "8000/tcp"));
    expect(row.ports).toEqual({
      "8000/tcp": [
        { HostIp: "0.0.0.0", HostPort: port },
        { HostIp: "::", HostPort: port },
      ],
    });
  });

  it("never uses a number twice on an address", () => {
    const t = trial({ settings: { bootSeconds: 0, advertise: "127.0.0.1" }, machines: 0 });
    for (let i = 0; i < 200; i++) t.order("POST", "instances", {});
    const ports = t.emulator.endpoints().map((one) => one.port);
    expect([ports.length, new Set(ports).size]).toEqual([200, 200]);
  });

  it("draws again when the number belongs to an instance that is not listening", () => {
    const numbers = [20_000, 20_000, 20_001];
    const t = trial({ settings: { bootSeconds: 0, advertise: "127.0.0.1" }, takePort: () => numbers.shift() ?? 0 });
    t.order("POST", "instances", {});
    t.order("POST", "instances/any/exit");
    t.order("POST", "instances", {});
    expect(t.emulator.endpoints().map((one) => one.port)).toEqual([20_001]);
  });

  it("uses the same number inside and outside for numbers from 70000", () => {
    const { t } = up({}, { env: { "-p 70000:70000": "1" } });
    const [endpoint] = t.emulator.endpoints();
    expect(endpoint?.container).toBe(endpoint?.port);
  });

  it("publishes what the image exposes, and 22 for ssh, 22 and 8080 for jupyter", () => {
    const containers = (settings: Partial<Settings>, runtype: string) =>
      up(settings, { runtype })
        .t.emulator.endpoints()
        .map((one) => one.container)
        .sort((a, b) => a - b);
    expect(containers({ images: { "example/app:1": { exposes: ["9000/tcp"] } } }, "args")).toEqual([8000, 9000]);
    expect(containers({}, "ssh_direc ssh_proxy")).toEqual([22, 8000]);
    expect(containers({}, "jupyter")).toEqual([22, 8000, 8080]);
  });

  it("publishes nothing on a host without direct ports", () => {
    const { row } = up({}, {}, { direct_port_count: 0 });
    expect([row.ports, row.direct_port_start]).toEqual([{}, -1]);
  });

  it("publishes no more ports than the host has", () => {
    const env = { "-p 8000:8000": "1", "-p 8001:8001": "1", "-p 8002:8002": "1" };
    const { t } = up({}, { env }, { direct_port_count: 2 });
    expect(t.emulator.endpoints().map((one) => one.container)).toEqual([8000, 8001]);
  });
});

describe("direct_port_start and public_ipaddr", () => {
  it("is -1 and null until it runs, then the first port and the address with a newline", () => {
    const t = trial({ settings: { bootSeconds: 10, advertise: "127.0.0.1" } });
    const id = rent(t);
    t.pass(9);
    expect(listed(t, id)).toMatchObject({
      ports: null,
      public_ipaddr: null,
      direct_port_start: -1,
      actual_status: "created",
    });
    t.pass(1);
    const row = listed(t, id) ?? {};
    expect(row).toMatchObject({ public_ipaddr: "127.0.0.1\n", direct_port_start: hostPort(row, "8000/tcp") });
  });

  it("shows ports and address later than running by the port lag", () => {
    const { t, id, row } = up({ portLagSeconds: 7 });
    expect(row).toMatchObject({ actual_status: "running", ports: null, public_ipaddr: null, direct_port_start: -1 });
    t.pass(7);
    expect(listed(t, id)?.ports).not.toBeNull();
  });

  it("listens after the application's start time", () => {
    const { t } = up({ appSeconds: 30 });
    expect(t.emulator.endpoints()).toEqual([]);
    t.pass(30);
    expect(t.emulator.endpoints()).toHaveLength(1);
  });

  it("can omit the newline", () => {
    expect(up({ trailingNewline: false, advertise: "127.0.0.1" }).row.public_ipaddr).toBe("127.0.0.1");
  });
});

describe("a request without TCP", () => {
  const request = { method: "POST", url: "/v1/x?y=1", headers: { host: "h" }, body: "hello" };

  it("is answered by the instance that listens there, with its id", () => {
    const { t, id, row } = up({});
    const visited = t.emulator.visit(String(row.public_ipaddr), hostPort(row, "8000/tcp"), request);
    if (visited.kind !== "http") throw new Error(`got ${visited.kind}`);
    expect(visited.status).toBe(200);
    expect(JSON.parse(visited.body())).toEqual({
      instance: id,
      label: "k8s_pod=a",
      image: "example/app:1",
      ...request,
    });
  });

  it("is refused where nothing listens, and gets a banner from ssh", () => {
    const { t, row } = up({}, { runtype: "ssh" });
    expect(t.emulator.visit("198.18.0.1", 1, request)).toEqual({ kind: "refused" });
    const visited = t.emulator.visit(String(row.public_ipaddr), hostPort(row, "22/tcp"), request);
    expect(visited).toMatchObject({ kind: "ssh", banner: expect.stringMatching(/^SSH-2\.0-/) });
  });

  it("has the status and the delay that a test has set", () => {
    const { t, id, row } = up({});
    t.order("POST", `instances/${id}/fail`, { status: 503 });
    t.order("POST", `instances/${id}/slow`, { delayMs: 1500 });
    const visited = t.emulator.visit(String(row.public_ipaddr), hostPort(row, "8000/tcp"), request);
    expect(visited).toMatchObject({ kind: "http", status: 503, delayMs: 1500 });
  });
});
