import { expect, test } from "vitest";
import { gateKeys, podKeys } from "../../../../provisioner/fleet/gate-keys.ts";

/** What a Redis Cluster hashes of a key: the text between the first `{` and the next `}`. */
const hashed = (key: string) => /\{([^}]+)\}/.exec(key)?.[1];

test.each([
  ["creates", gateKeys("create", "secret-key", "node-1")],
  ["searches", gateKeys("search", "secret-key", "node-1")],
  ["pods", podKeys("secret-key")],
])(
  "the keys that the scripts of the %s use have different names in one slot of a Cluster, without the key's text",
  (_, keys) => {
    const names = Object.values(keys);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(names.map(hashed)).size).toBe(1);
    expect(names.join()).not.toContain("secret");
  },
);

test("searches are paced for each address, all other calls for each key and address", () => {
  expect(gateKeys("search", "one", "node-1")).toEqual(gateKeys("search", "two", "node-1"));
  expect(gateKeys("search", "one", "node-1").gate).not.toBe(gateKeys("search", "one", "node-2").gate);
  expect(gateKeys("list", "one", "node-1").gate).not.toBe(gateKeys("list", "two", "node-1").gate);
  expect(gateKeys("list", "one", "node-1").gate).not.toBe(gateKeys("list", "one", "node-2").gate);
});
