// The scripts of the readings that pods share, for the simulated Redis. Pure.
import { heldValue, putValue, type Script } from "./script.ts";

interface Shared {
  readAt: number;
  value: string;
}

export const SHARED_READING_SCRIPTS: Readonly<Record<string, Script>> = {
  "read shared"(values, [key, lock], [token, freshMs, lockMs, after], now) {
    const held = heldValue<Shared>(values, key, now);
    const ageMs = held === null ? -1 : now - held.readAt;
    const fresh = held !== null && ageMs >= 0 && ageMs <= Number(freshMs) && held.readAt > Number(after);
    const mine = !fresh && heldValue<string>(values, lock, now) === null;
    if (mine) putValue(values, lock, String(token), now + Number(lockMs));
    return [held?.value ?? null, held?.readAt ?? null, now, mine ? 1 : 0];
  },
  "write shared"(values, [key, lock], [token, value, elapsedMs, ttlMs], now) {
    if (heldValue<string>(values, lock, now) !== token) return null;
    const readAt = now - Math.ceil(Number(elapsedMs));
    putValue<Shared>(values, key, { readAt, value: String(value) }, now + Number(ttlMs));
    values.delete(lock ?? "");
    return readAt;
  },
  "leave shared"(values, [lock], [token], now) {
    if (heldValue<string>(values, lock, now) === token) values.delete(lock ?? "");
    return 0;
  },
};
