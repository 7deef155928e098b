// The page for people on the status port: `/`, and `/events`, the stream of its changes. Read-only. Touches the responses it is given.
import type { ServerResponse } from "node:http";
import type { Clock } from "../../common/clock.ts";
import type { StatusDocument } from "../report/status-document.ts";
import { writtenByBrowser } from "./instants.ts";
import { partsOf, titleOf } from "./parts.ts";
import { iconOf, PAGE_HEADERS, pageOf } from "./shell.ts";
import { createStreams } from "./streams.ts";

export interface PageParts {
  document(): StatusDocument | Promise<StatusDocument>;
  clock: Clock;
}

export interface Page {
  /** Answers a GET or HEAD of a path; resolves to false for one that is not the page's. Rejects when the page cannot be made. */
  answer(path: string, response: ServerResponse): Promise<boolean>;
}

export function createPage({ document, clock }: PageParts): Page {
  const streams = createStreams(async () => {
    const status = await document();
    const parts = partsOf(status, writtenByBrowser);
    return { at: status.at, content: { title: titleOf(status), icon: iconOf(status.state), parts } };
  }, clock);
  return {
    async answer(path, response) {
      if (path === "/events") {
        await streams.stream(response);
        return true;
      }
      if (path !== "/") return false;
      const body = pageOf(await document());
      response.writeHead(200, { ...PAGE_HEADERS, "cache-control": "no-store" });
      response.end(body);
      return true;
    },
  };
}
