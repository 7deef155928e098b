// The scripts of the turns for the simulated Redis. Pure.
import type { Script, ScriptValues } from "./script.ts";

interface Gate {
  tat?: number;
  learned?: { interval: number; until: number };
  margin?: { value: number; at: number };
}

/** What a key holds; what is changed in it stays changed. */
function heldBy<T>(values: ScriptValues, key: string | undefined, empty: () => T): T {
  const known = values.get(key ?? "");
  if (known !== undefined) return known as T;
  const value = empty();
  values.set(key ?? "", value);
  return value;
}

const zset = (values: ScriptValues, key: string | undefined) => heldBy(values, key, () => new Map<string, number>());

function marginOf({ margin }: Gate, least: number, now: number): number {
  if (margin === undefined) return least;
  return Math.max(least, margin.value / 2 ** Math.floor(Math.max(now - margin.at, 0) / 3_600_000));
}

const isBefore = (a: readonly [string, number], b: readonly [string, number]) =>
  a[1] !== b[1] ? a[1] < b[1] : Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])) < 0;

const turn: Script = (values, [gateKey, queueKey, beatsKey], args, now) => {
  const [member, numbers] = [String(args[0]), args.slice(1).map(Number)];
  const [kind = 0, wanted = 0, interval = 0, margin = 0, ttl = 0, late = 0, takes = 0] = numbers;
  const gate = heldBy<Gate>(values, gateKey, () => ({}));
  const [queue, beats] = [zset(values, queueKey), zset(values, beatsKey)];
  const gone = [...beats].filter(([, at]) => at <= now - ttl).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  for (const [other] of gone.slice(0, 50)) {
    queue.delete(other);
    beats.delete(other);
  }
  const queued = queue.get(member);
  const since = Math.min(wanted === 0 ? (queued === undefined ? now : queued % 1e13) : wanted, now);
  const own = kind * 1e13 + since;
  queue.set(member, own);
  beats.set(member, now);
  const learned = gate.learned !== undefined && gate.learned.until > now ? gate.learned.interval : 0;
  const step = Math.ceil(Math.max(interval, learned) + marginOf(gate, margin, now));
  gate.tat ??= now + step;
  let rank = 0;
  for (const other of queue) if (isBefore(other, [member, own])) rank += 1;
  if (takes === 2 || now < gate.tat + rank * late) return [Math.max(gate.tat - now, 0) + rank * step, rank, since];
  if (takes === 1) {
    gate.tat = now + step;
    queue.delete(member);
    beats.delete(member);
  }
  return [0, rank, since];
};

const penalty: Script = (values, [gateKey], args, now) => {
  const [wait = 0, threshold = 0, keep = 0, least = 0, most = 0] = args.map(Number);
  const gate = heldBy<Gate>(values, gateKey, () => ({}));
  gate.margin = { value: Math.min(marginOf(gate, least, now) * 2, most), at: now };
  gate.tat = Math.max(gate.tat ?? 0, now + wait);
  if (threshold > 0) gate.learned = { interval: threshold, until: now + keep };
  return 1;
};

const leave: Script = (values, [queueKey, beatsKey], [member]) => {
  zset(values, beatsKey).delete(String(member));
  return zset(values, queueKey).delete(String(member)) ? 1 : 0;
};

const seen: Script = (values, [podsKey], [member, ttl], now) => {
  const pods = zset(values, podsKey);
  for (const [other, at] of pods) if (at <= now - Number(ttl)) pods.delete(other);
  pods.set(String(member), now);
  return pods.size;
};

const goDown: Script = (values, [downKey, podsKey], [name, ...numbers], now) => {
  const [ttl = 0, percent = 0, number = 0, apart = 0] = numbers.map(Number);
  const member = String(name);
  const down = zset(values, downKey);
  for (const [other, until] of down) if (until <= now) down.delete(other);
  const isMine = down.has(member);
  const others = down.size - (isMine ? 1 : 0);
  const share = Math.floor((zset(values, podsKey).size * percent) / 100);
  const most = Math.max(percent > 0 ? share : number, 1);
  if (others >= most) {
    down.delete(member);
    return [0, others, most, 0];
  }
  if (!isMine) {
    const wait = down.size === 0 ? 0 : Math.max(...down.values()) - ttl + apart - now;
    if (wait > 0) return [0, others, most, wait];
    down.set(member, now + ttl);
  }
  return [1, others, most, 0];
};

const comeUp: Script = (values, [downKey], [member]) => (zset(values, downKey).delete(String(member)) ? 1 : 0);

export const TURN_SCRIPTS: Readonly<Record<string, Script>> = {
  turn,
  penalty,
  leave,
  seen,
  "go down": goDown,
  "come up": comeUp,
};
