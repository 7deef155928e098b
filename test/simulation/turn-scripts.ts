// The scripts of the turns for the simulated Redis. Pure.
import { heldBy, type Script, type ScriptValues } from "./script.ts";
import { SortedSet } from "./sorted-set.ts";

interface Gate {
  tat?: number;
  learned?: { interval: number; until: number };
  margin?: { value: number; at: number };
}

const zset = (values: ScriptValues, key: string | undefined, now: number) =>
  heldBy(values, key, now, () => new SortedSet());
const gateOf = (values: ScriptValues, key: string | undefined, now: number) =>
  heldBy<Gate>(values, key, now, () => ({}));

function marginOf({ margin }: Gate, least: number, now: number): number {
  if (margin === undefined) return least;
  return Math.max(least, margin.value / 2 ** Math.floor(Math.max(now - margin.at, 0) / 3_600_000));
}

function stepOf(gate: Gate, interval: number, margin: number, now: number): number {
  const learned = gate.learned !== undefined && gate.learned.until > now ? gate.learned.interval : 0;
  return Math.ceil(Math.max(interval, learned) + marginOf(gate, margin, now));
}

const turn: Script = (values, [gateKey, queueKey, beatsKey], args, now) => {
  const [member, numbers] = [String(args[0]), args.slice(1).map(Number)];
  const [kind = 0, wanted = 0, interval = 0, margin = 0, ttl = 0, late = 0, takes = 0, far = 0] = numbers;
  const gate = gateOf(values, gateKey, now);
  const [queue, beats] = [zset(values, queueKey, now), zset(values, beatsKey, now)];
  for (const other of beats.removeTo(now - ttl, 50)) queue.delete(other);
  const queued = queue.score(member);
  const since = Math.min(wanted === 0 ? (queued === undefined ? now : queued % 1e13) : wanted, now);
  const own = kind * 1e13 + since;
  queue.add(member, own);
  beats.add(member, now);
  const step = stepOf(gate, interval, margin, now);
  const isNew = gate.tat === undefined ? 1 : 0;
  gate.tat ??= now + step;
  const rank = queue.rank(member, own);
  if (takes === 2 || now < gate.tat + rank * late) {
    const wait = Math.max(gate.tat - now, 0) + rank * step;
    if (takes !== 1 && wait > far) beats.add(member, now + 2 * ttl);
    return [wait, rank, since, isNew];
  }
  if (takes === 1) {
    gate.tat = now + step;
    queue.delete(member);
    beats.delete(member);
  }
  return [0, rank, since, isNew];
};

const left: Script = (values, [gateKey], [interval, margin], now) => {
  const gate = gateOf(values, gateKey, now);
  gate.tat = Math.max(gate.tat ?? 0, now + stepOf(gate, Number(interval), Number(margin), now));
  return 1;
};

const openGates: Script = (values, gates, intervals, now) => {
  for (const [i, key] of gates.entries()) gateOf(values, key, now).tat ??= now + Number(intervals[i]);
  return 1;
};

const penalty: Script = (values, [gateKey], args, now) => {
  const [wait = 0, threshold = 0, keep = 0, least = 0, most = 0] = args.map(Number);
  const gate = gateOf(values, gateKey, now);
  gate.margin = { value: Math.min(marginOf(gate, least, now) * 2, most), at: now };
  gate.tat = Math.max(gate.tat ?? 0, now + wait);
  if (threshold > 0) gate.learned = { interval: threshold, until: now + keep };
  return 1;
};

const leave: Script = (values, [queueKey, beatsKey], [member], now) => {
  zset(values, beatsKey, now).delete(String(member));
  return zset(values, queueKey, now).delete(String(member)) ? 1 : 0;
};

const seen: Script = (values, [podsKey], [member, ttl], now) => {
  const pods = zset(values, podsKey, now);
  pods.removeTo(now - Number(ttl));
  const isNew = pods.score(String(member)) === undefined;
  pods.add(String(member), now);
  return [pods.size, isNew ? 1 : 0];
};

const goDown: Script = (values, [downKey, podsKey], [name, ...numbers], now) => {
  const [ttl = 0, percent = 0, number = 0, apart = 0] = numbers.map(Number);
  const member = String(name);
  const [down, pods] = [zset(values, downKey, now), zset(values, podsKey, now)];
  down.removeTo(now);
  for (const other of [...down.members()]) if (other !== member && pods.score(other) === undefined) down.delete(other);
  const mine = down.score(member);
  const others = down.size - (mine === undefined ? 0 : 1);
  const most = Math.max(percent > 0 ? Math.floor((pods.size * percent) / 100) : number, 1);
  if (others >= most) {
    down.delete(member);
    return [0, others, most, 0, 0];
  }
  if (mine !== undefined) return [1, others, most, 0, mine];
  if (pods.score(member) === undefined) return [0, others, most, apart, 0];
  const wait = down.size === 0 ? 0 : (down.score(down.members().at(-1) ?? "") ?? 0) - ttl + apart - now;
  if (wait > 0) return [0, others, most, wait, 0];
  down.add(member, now + ttl);
  return [1, others, most, 0, now + ttl];
};

const stayDown: Script = (values, [downKey, podsKey], [name, until], now) => {
  const member = String(name);
  const [down, pods] = [zset(values, downKey, now), zset(values, podsKey, now)];
  if (down.score(member) === undefined) down.add(member, Number(until));
  const isNew = pods.score(member) === undefined;
  pods.add(member, now);
  return isNew ? 1 : 0;
};

const comeUp: Script = (values, [downKey], [member], now) =>
  zset(values, downKey, now).delete(String(member)) ? 1 : 0;

export const TURN_SCRIPTS: Readonly<Record<string, Script>> = {
  turn,
  left,
  "open gates": openGates,
  penalty,
  leave,
  seen,
  "go down": goDown,
  "stay down": stayDown,
  "come up": comeUp,
};
