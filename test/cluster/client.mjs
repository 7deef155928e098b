// Runs in a pod beside the emulator: `node client.mjs <host of the Service>`. Sends a request on a new connection every 100 ms, and keeps
// what came of each. Its own port answers:
//   GET /samples?since=N   the samples from number N: [milliseconds, outcome, instance]
//   POST /long             opens an answer that takes 200 s, and returns when its first line has come
//   GET /long              { lines, endedAt }
import { lookup } from "node:dns/promises";
import { createServer, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

const EVERY_MS = 100;
const DEADLINE_MS = 10_000;
const PORT = 9000;

const samples = [];
const long = { lines: 0, endedAt: null };

createServer((request, response) => {
  const url = new URL(request.url, "http://client");
  if (url.pathname === "/samples") {
    response.end(JSON.stringify(samples.slice(Number(url.searchParams.get("since") ?? 0))));
  } else if (url.pathname === "/long" && request.method === "POST") {
    openLong().then(
      () => response.end(JSON.stringify(long)),
      (error) => response.writeHead(502).end(String(error)),
    );
  } else if (url.pathname === "/long") {
    response.end(JSON.stringify(long));
  } else {
    response.writeHead(404).end();
  }
}).listen(PORT);

const host = await addressOf(process.argv[2]);
for (;;) {
  const at = Date.now();
  const index = samples.push([at, "open", null]) - 1;
  ask().then(([outcome, instance]) => {
    samples[index] = [at, outcome, instance];
  });
  await delay(EVERY_MS);
}

/** Waits for the Service: its address never changes. */
async function addressOf(name) {
  for (;;) {
    try {
      return (await lookup(name, { family: 4 })).address;
    } catch {
      await delay(500); // the Service does not exist yet
    }
  }
}

/** `200`, another status, `refused`, or the error's code. Never rejects. */
function ask() {
  return new Promise((resolve) => {
    const call = get({ host, path: "/who", agent: false, signal: AbortSignal.timeout(DEADLINE_MS) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        text += part;
      });
      response.on("error", (error) => resolve([error.code ?? error.message, null]));
      response.on("end", () => resolve([String(response.statusCode), instanceIn(text)]));
    });
    call.on("error", (error) =>
      resolve([error.code === "ECONNREFUSED" ? "refused" : (error.code ?? error.message), null]),
    );
  });
}

/** Only an instance's own answer is JSON with its id. */
function instanceIn(text) {
  try {
    return JSON.parse(text).instance ?? null;
  } catch {
    return null;
  }
}

function openLong() {
  return new Promise((resolve, reject) => {
    const call = get({ host, path: "/stream?chunks=200&delayMs=1000", agent: false }, (response) => {
      const end = () => {
        long.endedAt ??= Date.now();
      };
      long.lines = 0;
      long.endedAt = null;
      response.on("data", () => {
        long.lines += 1;
        resolve();
      });
      response.on("error", end);
      response.on("close", end);
    });
    call.on("error", reject);
  });
}
