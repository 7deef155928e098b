// Tests preload this into a real program: its clock and timers run VAST_POD_TEST_CLOCK times as fast, so that a grace
// period of ten minutes ends within seconds. The program itself is unchanged.
const { syncBuiltinESMExports } = require("node:module");

const scale = Number(process.env.VAST_POD_TEST_CLOCK);
if (!(scale >= 1)) throw new Error("VAST_POD_TEST_CLOCK must be a number, 1 or more");
// All programs of a test speed up from the same instant, so that a restart does not set the clock back.
const start = Number(process.env.VAST_POD_TEST_CLOCK_START);
if (!(start > 0)) throw new Error("VAST_POD_TEST_CLOCK_START must be epoch milliseconds");
const realNow = Date.now;
const fastNow = () => start + (realNow() - start) * scale;

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(fastNow());
    else super(...args);
  }
  static now() {
    return fastNow();
  }
};
const realMonotonic = performance.now.bind(performance);
performance.now = () => realMonotonic() * scale;

const timers = require("node:timers/promises");
const { setTimeout: realDelay } = timers;
timers.setTimeout = (ms, ...rest) => realDelay(ms / scale, ...rest);
const realSetTimeout = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (callback, ms, ...rest) => realSetTimeout(callback, (ms ?? 0) / scale, ...rest),
  realSetTimeout,
);
syncBuiltinESMExports();

// Scripts of the program ask Redis for the time. They get the sped-up one as well: the text of a script is changed on its way, in its
// length. Redis does not know the script by the hash of its real text, so the program sends the text each time.
// provisioner/redis/time.ts
const REDIS_TIME = "local t = redis.call('TIME')\nlocal now = t[1] * 1000 + math.floor(t[2] / 1000)";
const fastTime = `local s,t=${start},redis.call('TIME')local now=s+(t[1]*1e3+t[2]/1e3-s)*${scale}`;
if (fastTime.length > REDIS_TIME.length) throw new Error("the text of the sped-up time is too long");
const { Socket } = require("node:net");
const realWrite = Socket.prototype.write;
Socket.prototype.write = function write(data, ...rest) {
  const text = typeof data === "string" ? data.replaceAll(REDIS_TIME, fastTime.padEnd(REDIS_TIME.length)) : data;
  return realWrite.call(this, text, ...rest);
};
