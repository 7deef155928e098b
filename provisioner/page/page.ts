// The page for people on the status port: `/`, and `/events`, the stream of its changes. Read-only. Touches the responses it is given.
import type { ServerResponse } from "node:http";
import type { Clock } from "../../common/clock.ts";
import type { StartFailure } from "../../common/stay-up.ts";
import type { StatusDocument } from "../report/status-document.ts";
import { writtenByBrowser } from "./instants.ts";
import { iconOf, PAGE_HEADERS, pageOf } from "./shell.ts";
import { createStreams } from "./streams.ts";
import { failureView, type PageView, statusView } from "./view.ts";

export interface Page {
  /** Answers a GET or HEAD of a path; resolves to false for one that is not the page's. Rejects when the page cannot be made. */
  answer(path: string, response: ServerResponse): Promise<boolean>;
}

/** The page of a provisioner that runs. */
export function createStatusPage(document: () => Promise<StatusDocument>, clock: Clock): Page {
  return createPage(async () => statusView(await document()), clock);
}

/** The page of a provisioner that cannot start. */
export function createFailurePage(failure: StartFailure, clock: Clock): Page {
  return createPage(async () => failureView(failure, new Date(clock.now()).toISOString()), clock);
}

function createPage(look: () => Promise<PageView>, clock: Clock): Page {
  const streams = createStreams(async () => {
    const { at, parts, state, title } = await look();
    return { at, content: { title, icon: iconOf(state), parts: parts(writtenByBrowser) } };
  }, clock);
  return {
    async answer(path, response) {
      if (path === "/events") {
        await streams.stream(response);
        return true;
      }
      if (path !== "/") return false;
      const body = pageOf(await look());
      response.writeHead(200, { ...PAGE_HEADERS, "cache-control": "no-store" });
      response.end(body);
      return true;
    },
  };
}
