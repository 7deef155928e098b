import { describe, expect, test } from "vitest";
import { ownTemplates, writeTemplate } from "../../../../provisioner/vast/template-calls.ts";
import type { ApiCall } from "../../../../provisioner/vast/transport.ts";

const ROW = { id: 5, hash_id: "h", name: "demo", creator_id: 1, image: "a" };

function answering(body: Record<string, unknown>) {
  const calls: ApiCall[] = [];
  const send = async (call: ApiCall) => {
    calls.push(call);
    return body;
  };
  return { calls, send };
}

describe("the account's own templates", () => {
  test("are those with its name and creator, the newest first, with all that the API shows of them", async () => {
    const templates = [ROW, { ...ROW, id: 9 }, { ...ROW, id: 10, creator_id: 2 }, { ...ROW, id: 11, name: "other" }];
    const { send } = answering({ templates });
    const found = await ownTemplates(send, 1, "demo", true);
    expect(found.map(({ template }) => template.id)).toEqual([9, 5]);
    expect(found[1]?.row).toEqual(ROW);
  });

  test("are unknown when one of them cannot be read", async () => {
    const { send } = answering({ templates: [{ creator_id: 1, name: "demo" }] });
    await expect(ownTemplates(send, 1, "demo", true)).rejects.toMatchObject({ kind: "malformed" });
  });
});

describe("a write of a template", () => {
  const fence = () => true;

  test("creates with POST and edits with PUT and the hash; a refusal for the rate is not repeated", async () => {
    const { send, calls } = answering({ success: true, template: { ...ROW, hash_id: "h2" } });
    expect(await writeTemplate(send, { image: "a" }, null, fence)).toMatchObject({ id: 5, hash: "h2" });
    await writeTemplate(send, { image: "a" }, "h", fence);
    const path = "/api/v0/template/";
    expect(calls).toMatchObject([
      { method: "POST", path, body: { image: "a" }, endpoint: "template_write", retryRateLimited: false, fence },
      { method: "PUT", path, body: { hash_id: "h", image: "a" }, retryRateLimited: false },
    ]);
  });

  test.each([{}, { template: null }, { template: { id: 5 } }])(
    "has an unknown outcome without a template: %j",
    async (body) => {
      const { send } = answering(body);
      await expect(writeTemplate(send, {}, null, fence)).rejects.toMatchObject({ kind: "malformed" });
    },
  );
});
