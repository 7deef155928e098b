// The scripts of the turn to write a template, for the simulated Redis. Pure.
import { heldValue, putValue, type Script } from "./script.ts";

export const TEMPLATE_SCRIPTS: Readonly<Record<string, Script>> = {
  "begin writing"(values, [lock], [token, turnMs], now) {
    if (heldValue<string>(values, lock, now) !== null) return null;
    putValue(values, lock, String(token), now + Number(turnMs));
    return now;
  },
  "end writing"(values, [lock, reading, mark], [token, written, text, ttlMs], now) {
    if (heldValue<string>(values, lock, now) !== token) return 0;
    if (Number(written) === 1) {
      values.delete(reading ?? "");
      values.delete(mark ?? "");
    }
    if (text !== "") putValue(values, mark, String(text), now + Number(ttlMs));
    values.delete(lock ?? "");
    return 1;
  },
  "template mark": (values, [mark], _, now) => heldValue<string>(values, mark, now),
};
