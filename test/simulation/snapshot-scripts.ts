// The scripts of the shared instance list for the simulated Redis. Pure.
import { heldBy, heldValue, putValue, type Script, type ScriptValues } from "./script.ts";
import { SortedSet } from "./sorted-set.ts";

const scoresOf = (values: ScriptValues, key: string | undefined, now: number) =>
  heldBy(values, key, now, () => new SortedSet());
const entriesOf = (values: ScriptValues, key: string | undefined, now: number) =>
  heldBy(values, key, now, () => new Map<string, string>());

interface Lead {
  token: string;
  until: number;
}

const look: Script = (values, [rows, want, pods, lead, trouble], [label, ...numbers], now) => {
  const [periodMs = 0, givenAfter = 0, waitedForMs = 0, ttlMs = 0] = numbers.map(Number);
  const after = givenAfter < 0 ? now : givenAfter;
  const name = String(label);
  const entry = entriesOf(values, rows, now).get(name) ?? null;
  const seen = scoresOf(values, pods, now);
  seen.add(name, now);
  const askedAt = Number(/^{"askedAt":(\d+)/.exec(entry ?? "")?.[1] ?? 0);
  const normally = askedAt === 0 ? now : askedAt + periodMs;
  const due = after > 0 && askedAt <= after ? now - waitedForMs : normally;
  const wanted = scoresOf(values, want, now);
  wanted.add(name, Math.min(wanted.score(name) ?? Number.POSITIVE_INFINITY, due));
  putValue(values, want, wanted, now + ttlMs);
  putValue(values, pods, seen, now + ttlMs);
  const leader = heldValue<Lead>(values, lead, now);
  return [entry, now, leader === null ? -2 : leader.until - now, heldValue(values, trouble, now), seen.size];
};

const take: Script = (values, [lead, want, pods, rows, trouble], [token, ...numbers], now) => {
  const [ttlMs = 0, most = 0, withAll, goneMs = 0] = numbers.map(Number);
  const held = heldValue<Lead>(values, lead, now);
  if (held !== null && held.token !== token) return [0, now, 0, [], [], 0];
  putValue<Lead>(values, lead, { token: String(token), until: now + ttlMs }, now + ttlMs);
  const [seen, wanted, entries] = [
    scoresOf(values, pods, now),
    scoresOf(values, want, now),
    entriesOf(values, rows, now),
  ];
  for (const label of seen.removeTo(now - goneMs, 100)) for (const one of [wanted, entries]) one.delete(label);
  const next = wanted.members().slice(0, most);
  const all = withAll === 1 ? [...seen.members()] : [];
  const failed = heldValue(values, trouble, now) === null ? 0 : 1;
  return [1, now, wanted.countTo(now), next.flatMap((label) => [label, String(wanted.score(label))]), all, failed];
};

const publish: Script = (values, [lead, rows, want, trouble], args, now) => {
  const [token, rowsTtlMs, failed, troubleTtlMs, ...pairs] = args.map(String);
  if (heldValue<Lead>(values, lead, now)?.token !== token) return 0;
  if (failed === undefined || failed === "") values.delete(trouble ?? "");
  else putValue(values, trouble, failed, now + Number(troubleTtlMs));
  const [entries, wanted] = [entriesOf(values, rows, now), scoresOf(values, want, now)];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    entries.set(pairs[i] ?? "", pairs[i + 1] ?? "");
    wanted.delete(pairs[i] ?? "");
  }
  putValue(values, rows, entries, now + Number(rowsTtlMs));
  return 1;
};

const resign: Script = (values, [lead], [token], now) => {
  if (heldValue<Lead>(values, lead, now)?.token === token) values.delete(lead ?? "");
  return 0;
};

export const SNAPSHOT_SCRIPTS: Readonly<Record<string, Script>> = {
  "fleet look": look,
  "fleet lead": take,
  "fleet publish": publish,
  "fleet resign": resign,
};
