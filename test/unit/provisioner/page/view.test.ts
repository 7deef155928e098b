import { expect, test } from "vitest";
import { writtenAt } from "../../../../provisioner/page/instants.ts";
import { PART_NAMES } from "../../../../provisioner/page/parts.ts";
import { failureView, statusView } from "../../../../provisioner/page/view.ts";
import { HOSTILE_TEXT, NOW, READY, STARTING } from "./sample-status.ts";

test("the title has the state, so that a tab shows it", () => {
  expect([statusView(READY).title, statusView(STARTING).title]).toEqual(["vast-pod-0: ready", "vast-pod-0: starting"]);
});

test("a provisioner that cannot start says why, and that an instance is still billed", () => {
  const message = `VAST_MAX_DPH is "many": use a number\nPOD_NAME is missing ${HOSTILE_TEXT}`;
  const view = failureView({ state: "blocked", reason: "cannot_start", message, failures: 3 }, NOW);
  const { head, next, ...others } = view.parts(writtenAt(NOW));
  expect(view).toMatchObject({ title: "vast-pod: cannot start", state: "blocked", at: NOW });
  expect(head).toContain("cannot start: VAST_MAX_DPH is &quot;many&quot;: use a number\nPOD_NAME is missing &lt;img");
  expect(head).toMatch(/still\s+billed/);
  expect(next).toContain("tries again within 30 s. Failed starts in a row: 3.");
  expect(others).toEqual({
    proxy: "",
    money: "",
    instances: "",
    history: "",
    bans: "",
    foot: expect.stringContaining("status"),
  });
  expect(Object.keys(view.parts(writtenAt(NOW))).toSorted()).toEqual(PART_NAMES.toSorted());
});
