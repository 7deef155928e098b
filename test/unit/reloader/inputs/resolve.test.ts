import { describe, expect, test } from "vitest";
import { createResolver } from "../../../../reloader/inputs/resolve.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

function setUp() {
  const clock = fakeClock();
  const asked: string[] = [];
  const world = {
    clock,
    asked,
    answer: async (): Promise<string[]> => ["203.0.113.1"],
  };
  const resolver = createResolver(async (name) => {
    asked.push(name);
    return world.answer();
  }, clock);
  return { ...world, world, resolve: (host: string) => clock.drive(resolver.resolve(host)) };
}

describe("resolving the server's host", () => {
  test("asks nobody about an address", async () => {
    const { asked, resolve } = setUp();
    expect(await resolve("203.0.113.9")).toEqual({ known: true, address: "203.0.113.9", warning: null });
    expect(await resolve("2001:db8::1")).toMatchObject({ address: "2001:db8::1" });
    expect(asked).toEqual([]);
  });

  test("prefers IPv4, and the same address in whatever order they come", async () => {
    for (const order of [
      ["2001:db8::1", "203.0.113.2", "203.0.113.1"],
      ["203.0.113.1", "2001:db8::1", "203.0.113.2"],
    ]) {
      const { world, resolve } = setUp();
      world.answer = async () => order;
      expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.1" });
    }
  });

  test("keeps the address while the answer still has it", async () => {
    const { world, resolve } = setUp();
    world.answer = async () => ["203.0.113.7"];
    await resolve("gpu.example");
    world.answer = async () => ["203.0.113.1", "203.0.113.7"];
    expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.7" });
    world.answer = async () => ["203.0.113.1"];
    expect(await resolve("gpu.example")).toMatchObject({ address: "203.0.113.1" });
  });

  test("keeps the last address of the same name while there is no answer, and says so", async () => {
    const { world, resolve } = setUp();
    await resolve("gpu.example");
    world.answer = async () => {
      throw new Error("getaddrinfo EAI_AGAIN gpu.example");
    };
    expect(await resolve("gpu.example")).toMatchObject({
      known: true,
      address: "203.0.113.1",
      warning: expect.stringContaining("EAI_AGAIN"),
    });
    expect(await resolve("other.example")).toMatchObject({ known: false });
  });

  test("takes no address for none known", async () => {
    const { world, resolve } = setUp();
    world.answer = async () => ["not an address"];
    expect(await resolve("gpu.example")).toEqual({
      known: false,
      why: "the name gpu.example cannot be resolved: it has no address",
    });
  });

  test("waits two seconds at most, and asks no second time while the first question is open", async () => {
    const { world, clock, asked, resolve } = setUp();
    world.answer = () => new Promise<string[]>(() => undefined);
    const before = clock.now();
    expect(await resolve("gpu.example")).toMatchObject({ known: false, why: expect.stringContaining("2000 ms") });
    expect(clock.now() - before).toBe(2_000);
    await resolve("gpu.example");
    expect(asked).toEqual(["gpu.example"]);
  });
});
