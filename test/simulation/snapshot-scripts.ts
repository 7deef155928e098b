// The scripts of the shared instance list for the simulated Redis. Pure.
import { heldValue, putValue, type Script, type ScriptValues } from "./script.ts";

type Scores = ReadonlyMap<string, number>;

const scoresOf = (values: ScriptValues, key: string | undefined, now: number) =>
  new Map(heldValue<Scores>(values, key, now) ?? []);
const entriesOf = (values: ScriptValues, key: string | undefined, now: number) =>
  new Map(heldValue<ReadonlyMap<string, string>>(values, key, now) ?? []);
/** By score, and by name where scores are equal. */
const sorted = (scores: Scores) => [...scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
const FOREVER = Number.POSITIVE_INFINITY;

interface Lead {
  token: string;
  until: number;
}

const look: Script = (values, [rows, want, pods, lead, trouble], [label, ...numbers], now) => {
  const [periodMs = 0, after = 0, waitedForMs = 0, ttlMs = 0] = numbers.map(Number);
  const name = String(label);
  const entry = entriesOf(values, rows, now).get(name) ?? null;
  const seen = scoresOf(values, pods, now).set(name, now);
  const askedAt = Number(/^{"askedAt":(\d+)/.exec(entry ?? "")?.[1] ?? 0);
  const normally = askedAt === 0 ? now : askedAt + periodMs;
  const due = after > 0 && askedAt <= after ? now - waitedForMs : normally;
  const wanted = scoresOf(values, want, now);
  wanted.set(name, Math.min(wanted.get(name) ?? FOREVER, due));
  putValue(values, want, wanted, now + ttlMs);
  putValue(values, pods, seen, now + ttlMs);
  const leader = heldValue<Lead>(values, lead, now);
  return [entry, now, leader === null ? -2 : leader.until - now, heldValue(values, trouble, now)];
};

const take: Script = (values, [lead, want, pods, rows], [token, ...numbers], now) => {
  const [ttlMs = 0, most = 0, withAll, goneMs = 0] = numbers.map(Number);
  const held = heldValue<Lead>(values, lead, now);
  if (held !== null && held.token !== token) return [0, now, 0, [], []];
  putValue<Lead>(values, lead, { token: String(token), until: now + ttlMs }, now + ttlMs);
  const [seen, wanted, entries] = [
    scoresOf(values, pods, now),
    scoresOf(values, want, now),
    entriesOf(values, rows, now),
  ];
  const gone = sorted(seen).filter(([, at]) => at <= now - goneMs);
  for (const [label] of gone.slice(0, 100)) for (const one of [seen, wanted, entries]) one.delete(label);
  if (gone.length > 0) {
    putValue(values, pods, seen, FOREVER);
    putValue(values, want, wanted, FOREVER);
    putValue(values, rows, entries, FOREVER);
  }
  const next = sorted(wanted);
  const due = next.filter(([, at]) => at <= now).length;
  const all = withAll === 1 ? sorted(seen).map(([label]) => label) : [];
  return [1, now, due, next.slice(0, most).flatMap(([label, at]) => [label, String(at)]), all];
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
  putValue(values, want, wanted, FOREVER);
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
