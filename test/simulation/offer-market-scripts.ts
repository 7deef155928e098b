// The scripts of the reserved machines, for the simulated Redis. Pure.
import { heldValue, putValue, type Script, type ScriptValues } from "./script.ts";

interface Reservation {
  label: string;
  /** 0: not yet. */
  settledAt: number;
}

type Argument = string | number | undefined;

function isFree(
  values: ScriptValues,
  key: string | undefined,
  [label, listAt, lagMs]: readonly Argument[],
  now: number,
): boolean {
  const held = heldValue<Reservation>(values, key, now);
  if (held === null) return true;
  if (held.settledAt > 0) return held.settledAt + Number(lagMs) < (Number(listAt) || now);
  return held.label === label;
}

export const OFFER_MARKET_SCRIPTS: Readonly<Record<string, Script>> = {
  "free machines": (values, keys, args, now) => keys.map((key) => (isFree(values, key, args, now) ? 1 : 0)),
  "reserve machine"(values, [key], args, now) {
    const [label, listAt, , ttlMs, freshMs] = args;
    if (now - (Number(listAt) || now) > Number(freshMs) || !isFree(values, key, args, now)) return 0;
    putValue<Reservation>(values, key, { label: String(label), settledAt: 0 }, now + Number(ttlMs));
    return 1;
  },
  "settle machine"(values, [key], [label, rented, ttlMs], now) {
    const held = heldValue<Reservation>(values, key, now);
    if (held === null || held.settledAt > 0 || held.label !== label) return 0;
    if (Number(rented) === 0) values.delete(key ?? "");
    else putValue<Reservation>(values, key, { label: String(label), settledAt: now }, now + Number(ttlMs));
    return 1;
  },
  "freed machine"(values, [key], [label, ttlMs], now) {
    if (heldValue<Reservation>(values, key, now)?.settledAt === 0) return 0;
    putValue<Reservation>(values, key, { label: String(label), settledAt: now }, now + Number(ttlMs));
    return 1;
  },
};
