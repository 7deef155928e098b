import { expect, test } from "vitest";
import { accountKey, fleetKeys } from "../../../../provisioner/fleet/keys.ts";

/** What a Redis Cluster hashes of a key: the text between the first `{` and the next `}`. */
const hashed = (key: string) => /\{([^}]+)\}/.exec(key)?.[1];

const namesOf = (account: number) => {
  const { template, templateLock, templateMark, offers, allOffers, taken, bans, boots, lease, pod, ...fixed } =
    fleetKeys(account);
  const named = [
    template("t"),
    templateLock("t"),
    templateMark("t"),
    offers("o"),
    allOffers("o"),
    taken(7),
    bans("d"),
    boots("i"),
    lease("k8s_pod={x}"),
    pod("k8s_pod={x}"),
  ];
  return [...Object.values(fixed), ...named];
};

test("all keys of an account are in one slot of a Cluster, also for a label with braces", () => {
  expect(new Set(namesOf(17).map(hashed))).toEqual(new Set(["17"]));
});

test("no two keys have one name, and accounts share none", () => {
  const names = [...namesOf(17), ...namesOf(18)];
  expect(new Set(names).size).toBe(names.length);
});

test("the account of a key is found without the key's text", () => {
  expect(accountKey("secret-key")).not.toContain("secret");
  expect(accountKey("secret-key")).not.toBe(accountKey("secret-kez"));
});
