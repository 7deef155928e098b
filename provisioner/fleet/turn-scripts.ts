// The scripts of the turns: when a call may leave, for all pods that share a limit. They read Redis' clock and no other. Pure data.
import type { RedisScript } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";

// What two calls through a gate keep apart, as `step`, and when the next one may leave, as `tat`. Needs `now`, `interval` and `margin`.
const STEP = `local gate = redis.call('HMGET', KEYS[1], 'tat', 'learned', 'learnedUntil', 'margin', 'marginAt')
if gate[2] and tonumber(gate[3]) > now then interval = math.max(interval, tonumber(gate[2])) end
if gate[4] then
  margin = math.max(margin, tonumber(gate[4]) / 2 ^ math.floor(math.max(now - tonumber(gate[5]), 0) / 3600000))
end
local step = math.ceil(interval + margin)
local tat = tonumber(gate[1])`;

/**
 * KEYS: gate (hash: tat, learned, learnedUntil, margin, marginAt), queue (sorted set: class x 1e13 + since), beats (sorted set: last sign
 * of life). ARGV: member, class, since (0: from now on), interval, margin, beat time to live, delay per rank, all times in ms; and 1 to
 * take the turn, 0 to ask only, or 2 to ask how long it takes if all before it go; and the wait from which a member that only asks counts
 * for three times its time to live. Answers {ms to wait, members ahead, since, 1 if the gate is new}; a wait of 0 means that the turn was
 * taken, or could be.
 *
 * A gate that is new or flushed begins closed for one interval, because nobody knows when the last call was. When the gate is open, the
 * member of rank r goes r x delay later: so a dead or busy member before it holds up nobody for longer than that.
 */
export const TURN: RedisScript = {
  name: "turn",
  proves: "writing",
  lua: `
${REDIS_NOW}
local member, class, since = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local interval, margin, ttl, late = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local gone = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ttl, 'LIMIT', 0, 50)
for _, other in ipairs(gone) do
  redis.call('ZREM', KEYS[2], other)
  redis.call('ZREM', KEYS[3], other)
end
if since == 0 then
  local queued = redis.call('ZSCORE', KEYS[2], member)
  since = queued and math.fmod(tonumber(queued), 1e13) or now
end
since = math.min(since, now)
redis.call('ZADD', KEYS[2], string.format('%.0f', class * 1e13 + since), member)
redis.call('ZADD', KEYS[3], now, member)
redis.call('PEXPIRE', KEYS[2], 600000)
redis.call('PEXPIRE', KEYS[3], 600000)
${STEP}
local isNew = tat and 0 or 1
if not tat then
  tat = now + step
  redis.call('HSET', KEYS[1], 'tat', tat)
end
redis.call('PEXPIRE', KEYS[1], 86400000)
local rank = redis.call('ZRANK', KEYS[2], member)
if ARGV[8] ~= '2' and now >= tat + rank * late then
  if ARGV[8] == '1' then
    redis.call('HSET', KEYS[1], 'tat', now + step)
    redis.call('ZREM', KEYS[2], member)
    redis.call('ZREM', KEYS[3], member)
  end
  return {0, rank, since, isNew}
end
local wait = math.max(tat - now, 0) + rank * step
if ARGV[8] ~= '1' and wait > tonumber(ARGV[9]) then redis.call('ZADD', KEYS[3], now + 2 * ttl, member) end
return {wait, rank, since, isNew}`,
};

/**
 * A call leaves that took its turn before: the next one may leave an interval after it, however late it is. KEYS: gate. ARGV: interval and
 * margin, ms.
 */
export const LEFT: RedisScript = {
  name: "left",
  proves: "writing",
  lua: `
${REDIS_NOW}
local interval, margin = tonumber(ARGV[1]), tonumber(ARGV[2])
${STEP}
redis.call('HSET', KEYS[1], 'tat', math.max(tat or 0, now + step))
redis.call('PEXPIRE', KEYS[1], 86400000)
return 1`,
};

/** Makes gates that are new or flushed: each begins closed for its interval. KEYS: gates. ARGV: their intervals with the margin, ms. */
export const OPEN: RedisScript = {
  name: "open gates",
  proves: "writing",
  lua: `
${REDIS_NOW}
for i, gate in ipairs(KEYS) do
  if redis.call('HSETNX', gate, 'tat', now + tonumber(ARGV[i])) == 1 then redis.call('PEXPIRE', gate, 86400000) end
end
return 1`,
};

/**
 * A call was refused as too frequent: the gate closes for everybody. KEYS: gate. ARGV: how long, the interval that the API names (0: none)
 * and how long it is kept, the least and the most margin; ms. The margin doubles with each refusal and halves with each hour.
 */
export const PENALTY: RedisScript = {
  name: "penalty",
  proves: "writing",
  lua: `
${REDIS_NOW}
local wait, threshold, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local least, most = tonumber(ARGV[4]), tonumber(ARGV[5])
local gate = redis.call('HMGET', KEYS[1], 'tat', 'margin', 'marginAt')
local margin = least
if gate[2] then
  margin = math.max(least, tonumber(gate[2]) / 2 ^ math.floor(math.max(now - tonumber(gate[3]), 0) / 3600000))
end
redis.call('HSET', KEYS[1], 'tat', math.max(tonumber(gate[1] or '0'), now + wait))
redis.call('HSET', KEYS[1], 'margin', math.min(margin * 2, most), 'marginAt', now)
if threshold > 0 then redis.call('HSET', KEYS[1], 'learned', threshold, 'learnedUntil', now + keep) end
redis.call('PEXPIRE', KEYS[1], 86400000)
return 1`,
};

/** KEYS: queue, beats. ARGV: member. */
export const LEAVE: RedisScript = {
  name: "leave",
  proves: "reading",
  lua: `
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])`,
};

/**
 * Notes that a pod runs. KEYS: pods (sorted set: last seen). ARGV: member, ms after which a pod that was not seen counts no more. Answers
 * {how many there are, 1 if this one was not known}.
 */
export const SEEN: RedisScript = {
  name: "seen",
  proves: "writing",
  lua: `
${REDIS_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
local isNew = redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {redis.call('ZCARD', KEYS[1]), isNew}`,
};

/**
 * May a pod stop serving in order to be replaced? KEYS: down (sorted set: until when), pods. ARGV: member, how long at most (ms), the most
 * that may be down: as a percentage of the pods, or 0 and a number; and how long after the one before it goes down (ms). Answers {1 or 0,
 * others that are down, the most, ms to wait, until when it counts as down}. A pod that may already is not asked to wait.
 *
 * A pod that is not seen any more has ended in the middle of its replacement: it does not count.
 * A pod that Redis does not know has been forgotten with all that were down: they tell it again before this pod is seen the next time.
 */
export const GO_DOWN: RedisScript = {
  name: "go down",
  proves: "writing",
  lua: `
${REDIS_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local ttl, percent, most, apart = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
for _, other in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if other ~= ARGV[1] and not redis.call('ZSCORE', KEYS[2], other) then redis.call('ZREM', KEYS[1], other) end
end
local mine = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
local others = redis.call('ZCARD', KEYS[1]) - (mine > 0 and 1 or 0)
if percent > 0 then most = math.floor(redis.call('ZCARD', KEYS[2]) * percent / 100) end
most = math.max(most, 1)
if others >= most then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return {0, others, most, 0, 0}
end
if mine == 0 then
  if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {0, others, most, apart, 0} end
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  local wait = last[2] and tonumber(last[2]) - ttl + apart - now or 0
  if wait > 0 then return {0, others, most, wait, 0} end
  mine = now + ttl
  redis.call('ZADD', KEYS[1], mine, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], 3600000)
end
return {1, others, most, 0, mine}`,
};

/**
 * A pod is still down. Changes nothing unless Redis has forgotten it, but that it was seen. KEYS: down, pods. ARGV: member, until when it
 * counts as down, ms after which a pod that was not seen counts no more. Answers 1 if the pod was not known.
 */
export const STAY_DOWN: RedisScript = {
  name: "stay down",
  proves: "writing",
  lua: `
${REDIS_NOW}
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 3600000)
local isNew = redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return isNew`,
};

/** KEYS: down. ARGV: member. */
export const COME_UP: RedisScript = {
  name: "come up",
  proves: "reading",
  lua: `return redis.call('ZREM', KEYS[1], ARGV[1])`,
};
