// The scripts of the records of machines and of starts, for the simulated Redis. Pure.
import { heldBy, heldValue, putValue, type Script } from "./script.ts";

type Held = Map<string, string>;

const changedAt = (text: string) => Number(/(\d+)$/.exec(text)?.[1] ?? 0);

export const RECORD_SCRIPTS: Readonly<Record<string, Script>> = {
  "add records"(values, [key], [ttlMs, most, ...records], now) {
    const held = heldBy<Held>(values, key, now, () => new Map());
    for (let i = 0; i < records.length; i += 6) {
      const [name = "", ...numbers] = records.slice(i, i + 6);
      const before = (held.get(String(name)) ?? "").split(" ").map(Number);
      const sums = numbers.map((number, n) => (before[n] ?? 0) + Number(number));
      held.set(String(name), [...sums, now].join(" "));
    }
    putValue(values, key, held, now + Number(ttlMs));
    if (held.size <= Number(most)) return 0;
    const oldest = [...held]
      .filter(([name]) => name !== "all")
      .sort(([a, x], [b, y]) => changedAt(x) - changedAt(y) || (a < b ? -1 : 1));
    for (const [name] of oldest.slice(0, Math.ceil(Number(most) / 4))) held.delete(name);
    return 1;
  },
  "add boot"(values, [key], [ttlMs, most, text], now) {
    const held = [...(heldValue<string[]>(values, key, now) ?? []), String(text)].slice(-Number(most));
    putValue(values, key, held, now + Number(ttlMs));
    return held.length;
  },
  "read boots"(values, [key], _, now) {
    return [...(heldValue<string[]>(values, key, now) ?? [])];
  },
  "read records"(values, [key], names, now) {
    const held = heldValue<Held>(values, key, now);
    return names.map((name) => held?.get(String(name)) ?? null);
  },
};
