// How a script asks for the time. Pure data.

/** Redis' time in ms as `now`, because the clocks of the pods may differ. One text for all scripts: tests with a fast clock replace it. */
export const REDIS_NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;
