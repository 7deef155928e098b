// The API answers in the other form that its documents have for the same thing: the pod comes to the same, and says the same.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
  await pod.emulator.send("POST", "settings", {
    noTemplates: "success-false",
    noCreditSlug: "invalid_args",
    takenOfferStatus: "no-ask",
    missingInstance: "not_found",
    omittedLimit: 5,
  });
});
afterEach(() => pod.close());

test("from a template that is missing over an account without credit and a taken offer to a server", async () => {
  const { templates } = await pod.emulator.state();
  const own = templates.find(({ creator_id: creator }) => creator === 104_717);
  await pod.emulator.send("DELETE", "templates/demo");
  await pod.provision();
  const missing = await pod.until("the template is missing", (f) => f.reason === "template_not_found", 30_000);
  expect(missing).toMatchObject({ state: "blocked", server: null });
  expect(missing.message).toContain("demo");

  await pod.emulator.send("POST", "account", { credit: 0 });
  const headers = { authorization: "Bearer emulator-key" };
  const body = JSON.stringify(own);
  expect(
    await (await fetch(`${pod.emulator.url}/api/v0/template/`, { method: "POST", headers, body })).json(),
  ).toMatchObject({
    success: true,
  });
  const broke = await pod.until("there is no credit", (f) => f.reason === "account_no_credit", 60_000);
  expect(broke.message).toMatch(/has no credit: add credit/);

  // The first offer that it tries is gone by then.
  const rule = { method: "PUT", path: "^/api/v0/asks/" };
  const gone = { success: false, error: "no_such_ask", msg: "No ask by id 5 is available.", ask_id: 5 };
  await pod.emulator.send("POST", "faults", { ...rule, effect: { status: 404, body: gone } });
  await pod.emulator.send("POST", "account", { credit: 100 });
  const { instance } = await pod.ready(60_000);
  expect((await pod.emulator.state()).instances).toMatchObject([{ id: instance?.id }]);
});
