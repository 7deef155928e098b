import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hasIpv6 } from "../../../../reloader/inputs/ipv6.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";

test("a machine has IPv6 when the kernel lists an address, and not when the list is empty or missing", async () => {
  const path = join(await temporaryFolder(), "if_inet6");
  expect(hasIpv6(path)).toBe(false);
  await writeFile(path, "\n");
  expect(hasIpv6(path)).toBe(false);
  await writeFile(path, "00000000000000000000000000000001 01 80 10 80       lo\n");
  expect(hasIpv6(path)).toBe(true);
});

test("a list of addresses that cannot be read is an error, not a missing one", async () => {
  expect(() => hasIpv6("/proc")).toThrow("EISDIR");
});
