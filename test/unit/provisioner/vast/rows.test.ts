import { describe, expect, test } from "vitest";
import { readInstance, readOffer, readTemplate } from "../../../../provisioner/vast/rows.ts";

describe("an instance's row", () => {
  test("is read with trimmed texts, typed numbers and milliseconds", () => {
    const read = readInstance({
      id: 312,
      label: "k8s_pod=a",
      host_id: "77001",
      machine_id: 4821,
      actual_status: " Running",
      intended_status: "running",
      cur_state: "running",
      next_state: "running",
      status_msg: "success, running\n",
      image_uuid: " example/app:2\n",
      template_hash_id: "4e17 ",
      public_ipaddr: "203.0.113.9\n",
      ports: { "8000/tcp": [{ HostIp: "0.0.0.0", HostPort: "41234" }] },
      direct_port_start: "41234",
      dph_total: "0.3164",
      storage_total_cost: "0.0064",
      disk_space: "32",
      gpu_name: "RTX 4090",
      num_gpus: "2",
      start_date: 1790000000.5,
      end_date: 1793000000,
    });
    expect(read).toEqual({
      id: 312,
      label: "k8s_pod=a",
      hostId: 77001,
      machineId: 4821,
      actualStatus: "running",
      intendedStatus: "running",
      curState: "running",
      nextState: "running",
      statusMessage: "success, running",
      image: "example/app:2",
      templateHash: "4e17",
      address: "203.0.113.9",
      ports: { "8000/tcp": 41234 },
      directPortStart: 41234,
      dollarsPerHour: 0.3164,
      diskDollarsPerHour: 0.0064,
      gpuDollarsPerHour: 0.31,
      diskGb: 32,
      gpuName: "RTX 4090",
      gpus: 2,
      createdAt: 1790000000500,
      endsAt: 1793000000000,
      isBid: false,
      minBid: null,
    });
  });

  test.each([[{ id: 5 }], [{ id: "5" }]])("needs only an id: %j", (row) => {
    expect(readInstance(row)).toMatchObject({
      id: 5,
      label: null,
      hostId: null,
      actualStatus: null,
      statusMessage: "",
      image: "",
      templateHash: null,
      address: "",
      ports: null,
      directPortStart: null,
      dollarsPerHour: null,
      createdAt: null,
      endsAt: null,
      diskDollarsPerHour: null,
      gpus: null,
      isBid: false,
    });
  });

  test("accepts null and wrong values in every field except the id", () => {
    const names = "label host_id actual_status status_msg image_uuid ports dph_total start_date is_bid".split(" ");
    for (const value of [null, {}, [], "x", -1, true]) {
      expect(readInstance({ id: 5, ...Object.fromEntries(names.map((name) => [name, value])) })?.id).toBe(5);
    }
  });

  test.each([{}, { id: null }, { id: 0 }, { id: -1 }, { id: 1.5 }, { id: "x" }, null, "row", []])(
    "is none without an id: %j",
    (row) => expect(readInstance(row)).toBeNull(),
  );

  const ports = (map: unknown) => readInstance({ id: 5, ports: map })?.ports;

  test("uses the first numeric port of the IPv4 and IPv6 entries", () => {
    const twins = [
      { HostIp: "::", HostPort: "" },
      { HostIp: "0.0.0.0", HostPort: "41234" },
      { HostIp: "::", HostPort: "41235" },
    ];
    expect(ports({ "8000/tcp": twins })).toEqual({ "8000/tcp": 41234 });
  });

  test("ignores a port that is exposed but not published", () => {
    expect(ports({ "8000/tcp": null, "22/tcp": [{ HostPort: 5 }], "9/udp": [] })).toEqual({ "22/tcp": 5 });
  });

  test.each(["0", "65536", "1.5", "x", "", null])("ignores an invalid port number: %j", (HostPort) => {
    expect(ports({ "8000/tcp": [{ HostPort }] })).toEqual({});
  });

  test.each([-1, 0, "-1"])("treats a direct_port_start of %j as missing", (direct_port_start) => {
    expect(readInstance({ id: 5, direct_port_start })?.directPortStart).toBeNull();
  });
});

describe("an offer's row", () => {
  test("is read tolerantly", () => {
    expect(readOffer({ id: "7", host_id: "1", machine_id: 2, dph_total: "0.3", gpu_name: "RTX 4090 " })).toEqual({
      id: 7,
      hostId: 1,
      machineId: 2,
      dollarsPerHour: 0.3,
      gpuName: "RTX 4090",
      rentable: true,
      fields: { id: "7", host_id: "1", machine_id: 2, dph_total: "0.3", gpu_name: "RTX 4090 " },
    });
    expect(readOffer({ id: 7, rentable: false })).toMatchObject({ rentable: false, dollarsPerHour: null });
    expect(readOffer({ machine_id: 2 })).toBeNull();
  });
});

describe("a template's row", () => {
  test.each([
    ["", 0],
    ["-e A=b -p 8000:8000", 1],
    ["-p 8000:8000 -p 8001:8001/udp --publish 70000:70000", 3],
    ["-p 8000:8000 -p 8000:8000 -p", 1],
    ["-e NOTE='-p 1:1 -p 2:2' -e \"B=-p 3:3\" -p 8000", 1],
    ["-p /etc -P 8000:8000 -port 8000", 0],
    [null, 0],
  ])("contains how many ports it publishes: %j", (env, count) => {
    expect(readTemplate({ id: 1, hash_id: "4e17", name: "demo", env })?.publishedPorts).toBe(count);
  });

  test("has the flags of its ports in one order, whatever their order is", () => {
    const flags = (env: string) => readTemplate({ id: 1, hash_id: "4e17", name: "demo", env })?.portFlags;
    expect(flags("-p 9000:9000 -e A=b -p 8000:8000")).toBe("8000:8000 9000:9000");
    expect(flags("-p 8000:8000 -p 9000:9000")).toBe("8000:8000 9000:9000");
  });

  test("is read tolerantly", () => {
    const row = { id: 1, hash_id: "4e17", name: "demo", creator_id: "9", recommended_disk_space: 32.5 };
    expect(readTemplate(row)).toEqual({
      id: 1,
      hash: "4e17",
      name: "demo",
      creatorId: 9,
      diskSpace: 32.5,
      publishedPorts: 0,
      portFlags: "",
    });
    expect(readTemplate({ id: 1, hash_id: "4e17", name: "demo" })).toMatchObject({ creatorId: null, diskSpace: null });
  });

  test.each([
    { id: 1, name: "demo" },
    { id: 1, hash_id: "", name: "demo" },
    { hash_id: "4e17", name: "demo" },
  ])("is refused without id, name and hash: %j", (row) => expect(readTemplate(row)).toBeNull());
});
