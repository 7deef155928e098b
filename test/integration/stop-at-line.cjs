// Tests preload this into a real program: it stops itself, as by SIGSTOP, as soon as it has logged so many lines with a text. A signal from
// the test would come some time later, on a busy machine too late. The program itself is unchanged.
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

const text = process.env.VAST_POD_TEST_STOP_AT;
let left = Number(process.env.VAST_POD_TEST_STOP_AT_LINES);
if (!text || !(left >= 1))
  throw new Error("VAST_POD_TEST_STOP_AT must be a text, and VAST_POD_TEST_STOP_AT_LINES 1 or more");

const STDOUT = 1;
const realWriteSync = fs.writeSync;
fs.writeSync = (descriptor, data, ...rest) => {
  const written = realWriteSync(descriptor, data, ...rest);
  if (descriptor === STDOUT && String(data).includes(text)) {
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGSTOP");
  }
  return written;
};
syncBuiltinESMExports();
