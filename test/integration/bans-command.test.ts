// The command `bans`, with a real Redis and a provisioner that heeds what it writes.
import { expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { openPod } from "./pod.ts";

const GOOD = 7002;
const BAD = 7001;
const ENV = { VAST_API_KEY: "", POD_NAME: "" };

test("a host that is banned by hand is not rented from, until the ban is removed", async () => {
  const pod = await openPod({ redis: true, timeScale: 1, bootSeconds: 1 });
  const bans = async (
    args: readonly string[],
    more: Record<string, string> = {},
  ): Promise<{ child: Child; code: number | null }> => {
    const child = await pod.provision({ ...ENV, ...more }, ["bans", ...args]);
    return { child, code: (await child.exited).code };
  };
  try {
    await pod.emulator.send("PUT", "offers", [
      { id: 601, dph_base: 0.1, host_id: BAD, machine_id: 71 },
      { id: 602, dph_base: 0.5, host_id: GOOD, machine_id: 72 },
    ]);
    expect((await bans(["list"])).child.lines).toEqual(["no bans"]);
    const added = await bans(["add", String(BAD), "--reason", "slow disk", "--ttl", "2h", "-o", "name"]);
    expect(added).toMatchObject({ code: 0 });
    expect(added.child.lines).toContain(`host/${BAD}`);

    await pod.provision();
    expect((await pod.ready()).instance?.hostId).toBe(GOOD);

    const listed = await bans(["list", "--json"]);
    expect(JSON.parse(listed.child.lines.join(""))).toEqual({
      schema: 1,
      bans: [{ kind: "host", id: BAD, reason: "slow disk", until: expect.stringMatching(/^20\d\d-.*Z$/) }],
    });
    expect(await bans(["remove", String(BAD)])).toMatchObject({ code: 0 });
    const again = await bans(["remove", String(BAD)]);
    expect(again.code).toBe(1);
    expect(again.child.lines).toContain(`The host ${BAD} is not banned: nothing was removed.`);

    const unreachable = await bans(["list"], { BLACKLIST_REDIS_URL: `redis://127.0.0.1:${await pod.sandbox.port()}` });
    expect(unreachable.code).toBe(1);
    expect(unreachable.child.lines.join("\n")).toContain("BLACKLIST_REDIS_URL");
  } finally {
    await pod.close();
  }
});
