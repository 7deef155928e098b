import { describe, expect, test } from "vitest";
import { createResolver } from "../../../../reloader/inputs/resolve.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

function setUp(allowLocal = false) {
  const clock = fakeClock();
  const lookups: string[] = [];
  const dns = {
    clock,
    lookups,
    answer: async (): Promise<string[]> => ["203.0.113.1"],
  };
  const resolver = createResolver(
    async (name) => {
      lookups.push(name);
      return dns.answer();
    },
    clock,
    { allowLocal },
  );
  return { ...dns, dns, resolve: (host: string) => clock.drive(resolver.resolve(host)) };
}

describe("resolving the server's host", () => {
  test("makes no DNS lookup for an address", async () => {
    const { lookups, resolve } = setUp();
    expect(await resolve("203.0.113.9")).toEqual({ known: true, address: "203.0.113.9", warning: null });
    expect(await resolve("2001:db8::1")).toMatchObject({ address: "2001:db8::1" });
    expect(lookups).toEqual([]);
  });

  test("prefers IPv4, and picks the same address for any order of the answer", async () => {
    for (const order of [
      ["2001:db8::1", "203.0.113.2", "203.0.113.1"],
      ["203.0.113.1", "2001:db8::1", "203.0.113.2"],
    ]) {
      const { dns, resolve } = setUp();
      dns.answer = async () => order;
      expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.1" });
    }
  });

  test("uses no address of this machine while there is another, and keeps the last one when DNS answers only such", async () => {
    const { dns, resolve } = setUp();
    dns.answer = async () => ["127.0.0.1", "203.0.113.5"];
    expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.5", warning: null });
    dns.answer = async () => ["0.0.0.0"];
    const kept = await resolve("gpu.example");
    expect(kept).toMatchObject({ address: "203.0.113.5", warning: expect.stringContaining("can have") });
  });

  test("answers an address of this machine when there is no other, so that it can be refused or used", async () => {
    for (const allowed of [true, false]) {
      const { dns, resolve } = setUp(allowed);
      dns.answer = async () => ["::1", "127.0.0.1"];
      for (let i = 0; i < 2; i += 1)
        expect(await resolve("gpu.example")).toEqual({ known: true, address: "127.0.0.1", warning: null });
    }
  });

  test("keeps the address while the answer still contains it", async () => {
    const { dns, resolve } = setUp();
    dns.answer = async () => ["203.0.113.7"];
    await resolve("gpu.example");
    dns.answer = async () => ["203.0.113.1", "203.0.113.7"];
    expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.7" });
    dns.answer = async () => ["203.0.113.1"];
    expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.1" });
  });

  test("keeps the last address of the same name while DNS does not answer, with a warning", async () => {
    const { dns, resolve } = setUp();
    await resolve("gpu.example");
    dns.answer = async () => {
      throw new Error("getaddrinfo EAI_AGAIN gpu.example");
    };
    expect(await resolve("gpu.example")).toMatchObject({
      known: true,
      address: "203.0.113.1",
      warning: expect.stringContaining("EAI_AGAIN"),
    });
    expect(await resolve("other.example")).toMatchObject({ known: false });
  });

  test("fails when the answer has no address", async () => {
    const { dns, resolve } = setUp();
    dns.answer = async () => ["not an address"];
    expect(await resolve("gpu.example")).toEqual({
      known: false,
      why: "the name gpu.example cannot be resolved: it has no address",
    });
  });

  test("waits two seconds at most, and starts no second lookup while the first one is open", async () => {
    const { dns, clock, lookups, resolve } = setUp();
    dns.answer = () => new Promise<string[]>(() => undefined);
    const before = clock.now();
    expect(await resolve("gpu.example")).toMatchObject({ known: false, why: expect.stringContaining("2000 ms") });
    expect(clock.now() - before).toBe(2_000);
    await resolve("gpu.example");
    expect(lookups).toEqual(["gpu.example"]);
  });
});
