// The page of the status port, loaded when it is first asked for: a pod that nobody looks at does without. Touches nothing before.
import type { StatusSource } from "../../common/status-server.ts";
import type { Page } from "../page/page.ts";

type Pages = typeof import("../page/page.ts");

export function lazyPage(make: (pages: Pages) => Page): NonNullable<StatusSource["page"]> {
  let page: Promise<Page> | null = null;
  return async (path, response) => {
    page ??= import("../page/page.ts").then(make);
    return (await page).answer(path, response);
  };
}
