// The streams of open pages: each gets what has changed, and a tick while nothing does. Touches the responses it is given.
import type { ServerResponse } from "node:http";
import type { Clock } from "../../common/clock.ts";

/** What a page shows; `content` is sent when it differs from the last one that was sent. */
export interface StreamView {
  at: string;
  content: object;
}

export interface EventStreams {
  /** Sends until the reader leaves. Answers 503 when too many streams are open. Rejects when no view can be made. */
  stream(response: ServerResponse): Promise<void>;
}

// Each holds one of the 128 connections of the status port. Enough for a team that looks at one pod.
const MAX_STREAMS = 16;
// Often enough for somebody who watches. A view costs about a millisecond, and is made only while a page is open.
const LOOK_MS = 1_000;
// A page takes three times this for a broken connection (browser.ts).
const TICK_MS = 5_000;
// So much unsent text is that of a reader that is gone, or hostile.
const MAX_UNSENT_BYTES = 256 * 1024;

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // An nginx in between must not collect the events.
  "x-accel-buffering": "no",
};

export function createStreams(look: () => Promise<StreamView>, clock: Clock): EventStreams {
  let open = 0;

  async function send(response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.on("close", () => left.abort("the reader has left"));
    let sent = "";
    let sentAt = clock.monotonic();
    while (!left.signal.aborted) {
      const { at, content } = await look();
      if (left.signal.aborted) return;
      if (!response.headersSent) response.writeHead(200, HEADERS).write("retry: 1000\n");
      if (response.req.method === "HEAD") return void response.end();
      const text = JSON.stringify(content);
      const isTickDue = clock.monotonic() - sentAt >= TICK_MS;
      if (text !== sent || isTickDue) {
        response.write(text === sent ? `event: tick\ndata: ${at}\n\n` : `data: {"at":"${at}","content":${text}}\n\n`);
        [sent, sentAt] = [text, clock.monotonic()];
      }
      if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
      await clock.sleep(LOOK_MS, left.signal);
    }
  }

  return {
    async stream(response) {
      if (open >= MAX_STREAMS) {
        response.writeHead(503, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
        response.end(`${MAX_STREAMS} pages are open already: close one of them\n`);
        return;
      }
      open += 1;
      try {
        await send(response);
      } finally {
        open -= 1;
      }
    },
  };
}
