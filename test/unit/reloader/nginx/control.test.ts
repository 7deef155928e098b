import { describe, expect, test } from "vitest";
import { nginxControl } from "../../../../reloader/nginx/control.ts";
import { systemProcesses } from "../../../../reloader/nginx/processes.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

const MASTER = "nginx: master process nginx -g daemon off;";

/** Processes by their titles, all of them nginx, and how often all were searched. */
function searched() {
  const titles = new Map([[7, MASTER]]);
  const clock = fakeClock();
  let searches = 0;
  const processes = {
    ...systemProcesses("/nowhere"),
    ids: () => {
      searches += 1;
      return [...titles.keys()];
    },
    title: (pid: number) => titles.get(pid) ?? null,
    program: (pid: number) => (titles.has(pid) ? "nginx" : null),
  };
  const control = nginxControl(processes, null, 1, clock);
  const find = async () => ({ master: await control.findMaster(), searches });
  return { titles, clock, find };
}

describe("the search for nginx' master", () => {
  test("is made once for the parts of a pass, and again after 50 ms", async () => {
    const { titles, clock, find } = searched();
    expect(await find()).toEqual({ master: { found: "one", pid: 7 }, searches: 1 });
    await clock.advance(49);
    titles.set(9, MASTER);
    expect(await find()).toEqual({ master: { found: "one", pid: 7 }, searches: 1 });
    await clock.advance(1);
    expect(await find()).toMatchObject({ master: { found: "several" }, searches: 2 });
  });

  test("is made again at once when that process is no master any more", async () => {
    const { titles, find } = searched();
    await find();
    titles.set(7, "nginx: worker process");
    titles.set(9, MASTER);
    expect(await find()).toEqual({ master: { found: "one", pid: 9 }, searches: 2 });
  });

  test("is made each time while there is none, or several", async () => {
    const { titles, find } = searched();
    titles.clear();
    expect(await find()).toMatchObject({ master: { found: "none" }, searches: 1 });
    titles.set(7, MASTER).set(9, MASTER);
    expect(await find()).toMatchObject({ master: { found: "several" }, searches: 2 });
    titles.delete(9);
    expect(await find()).toEqual({ master: { found: "one", pid: 7 }, searches: 3 });
  });
});
