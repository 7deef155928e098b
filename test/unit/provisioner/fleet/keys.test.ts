import { expect, test } from "vitest";
import { accountKey, fleetKeys } from "../../../../provisioner/fleet/keys.ts";

/** What a Redis Cluster hashes of a key: the text between the first `{` and the next `}`. */
const hashed = (key: string) => /\{([^}]+)\}/.exec(key)?.[1];

const namesOf = (account: number) => {
  const { searchGate, gate, queue, beats, template, offers, taken, bans, lease, pod, ...fixed } = fleetKeys(account);
  const endpoint = (one: typeof gate) => one("create", "k", "node-1");
  const named = [endpoint(gate), endpoint(queue), endpoint(beats), template("t"), offers("o"), taken(7), bans("d")];
  return [...Object.values(fixed), ...named, lease("k8s_pod={x}"), pod("k8s_pod={x}")];
};

test("all keys of an account are in one slot of a Cluster, also for a label with braces", () => {
  expect(new Set(namesOf(17).map(hashed))).toEqual(new Set(["17"]));
});

test("no two keys have one name, and accounts share none", () => {
  const names = [...namesOf(17), ...namesOf(18)];
  expect(new Set(names).size).toBe(names.length);
});

test("the gate of the search is one for all accounts of an address", () => {
  expect(fleetKeys(17).searchGate("node-1")).toBe(fleetKeys(18).searchGate("node-1"));
});

test("the account of a key is found without the key's text", () => {
  expect(accountKey("secret-key")).not.toContain("secret");
  expect(accountKey("secret-key")).not.toBe(accountKey("secret-kez"));
});
