import { describe, expect, test } from "vitest";
import { createVastClient } from "../../../../provisioner/vast/client.ts";
import { VastError } from "../../../../provisioner/vast/errors.ts";
import type { ApiCall } from "../../../../provisioner/vast/transport.ts";
import { LABEL } from "../plan/situation.ts";

/** A client with prepared answers in order (errors are thrown), and the calls that it made. */
function clientOf(...answers: (Record<string, unknown> | Error)[]) {
  const calls: ApiCall[] = [];
  const duplicates: (readonly number[])[] = [];
  const client = createVastClient(
    async (call) => {
      calls.push(call);
      const answer = answers.shift();
      if (answer === undefined) throw new Error(`no answer is prepared for ${call.method} ${call.path}`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    { onDuplicateTemplates: (_, ids) => duplicates.push(ids) },
  );
  return { client, calls, duplicates };
}

const rowsOf = (...ids: number[]) => ids.map((id) => ({ id, label: LABEL }));
const malformed = (text: RegExp) =>
  expect.objectContaining({ kind: "malformed", message: expect.stringMatching(text) });

describe("the list of several labels", () => {
  const [other, none] = [`${LABEL}0`, `${LABEL}1`];
  const rows = [
    { id: 1, label: LABEL },
    { id: 2, label: other },
    { id: 3, label: LABEL },
  ];

  test("is read with one filter, a 429 is not repeated, and each label has its instances", async () => {
    const { client, calls } = clientOf({ instances: rows, total_instances: 3 });
    const lists = await client.listByLabels([LABEL, other, none]);
    expect([...(lists ?? [])]).toMatchObject([
      [LABEL, [{ id: 1 }, { id: 3 }]],
      [other, [{ id: 2 }]],
      [none, []],
    ]);
    expect(calls).toMatchObject([
      { query: { select_filters: { label: { in: [LABEL, other, none] } }, limit: 25 }, retryRateLimited: false },
    ]);
  });

  test.each(["foreign", null])(
    "is unknown when an instance with the label %j shows that the filter was ignored",
    async (label) => {
      const { client } = clientOf({ instances: [...rows, { id: 4, label }] });
      expect(await client.listByLabels([LABEL, other])).toBeNull();
    },
  );

  test("is unknown for one label only when a row of it has no id, and for all when the row does not even show its label", async () => {
    const { client } = clientOf({ instances: [...rows, { id: "x", label: other }] }, { instances: [...rows, {}] });
    const lists = await client.listByLabels([LABEL, other]);
    expect([...(lists ?? [])]).toEqual([
      [LABEL, [expect.objectContaining({ id: 1 }), expect.objectContaining({ id: 3 })]],
      [other, malformed(/no readable id/)],
    ]);
    await expect(client.listByLabels([LABEL, other])).rejects.toThrow(malformed(/no readable id/));
  });

  test("is known of the whole account too, with the number of all its instances", async () => {
    const { client, calls } = clientOf({ instances: [...rows, { id: 4 }, { label: "foreign" }] });
    const { lists, rows: count } = await client.listAccount();
    expect([...lists]).toEqual([
      [LABEL, [expect.objectContaining({ id: 1 }), expect.objectContaining({ id: 3 })]],
      [other, [expect.objectContaining({ id: 2 })]],
      ["", [expect.objectContaining({ id: 4 })]],
      ["foreign", malformed(/no readable id/)],
    ]);
    expect(count).toBe(5);
    expect(calls).toMatchObject([{ retryRateLimited: false }]);
    expect(calls[0]?.query).not.toHaveProperty("select_filters");
  });

  test("is unknown unless all announced rows arrived", async () => {
    const { client } = clientOf({ instances: rows, total_instances: 4 });
    await expect(client.listByLabels([LABEL, other])).rejects.toThrow(malformed(/3 rows arrived/));
  });
});

test("the list of several ids is read with one filter, and has no other instance where that is ignored", async () => {
  const { client, calls } = clientOf({ instances: rowsOf(1, 2, 3), total_instances: 3 });
  expect((await client.listByIds([1, 3])).map(({ id }) => id)).toEqual([1, 3]);
  expect(calls).toMatchObject([{ query: { select_filters: { id: { in: [1, 3] } } }, retryRateLimited: false }]);
});

describe("the counts by label", () => {
  test("are read with one row, of all instances or of those that do not run", async () => {
    const answer = { instances: [{ id: 1 }], total_instances: "3", label_counts: { [LABEL]: 2, "": 1 } };
    const { client, calls } = clientOf(answer, answer);
    const byLabel = new Map([
      [LABEL, 2],
      ["", 1],
    ]);
    expect(await client.countInstances("all")).toEqual({ byLabel, whole: null });
    await client.countInstances("not_running");
    expect(calls.map(({ query }) => query)).toEqual([
      { order_by: [{ col: "id", dir: "asc" }], limit: 25 },
      { select_filters: { actual_status: { neq: "running" } }, limit: 1 },
    ]);
  });

  test("of all come with the instances where one page holds them", async () => {
    const answer = { instances: rowsOf(1, 2), total_instances: 2, label_counts: { [LABEL]: 2 } };
    const whole = async (changes: object) =>
      (await clientOf({ ...answer, ...changes }).client.countInstances("all"))?.whole;
    expect(await whole({})).toMatchObject({ rows: 2, lists: new Map([[LABEL, [{ id: 1 }, { id: 2 }]]]) });
    for (const changes of [
      { next_token: "more" },
      { instances_found: 3 },
      { instances: rowsOf(1) },
      { instances: rowsOf(1, 1) },
      { instances: [...rowsOf(1), { label: LABEL }] },
    ])
      expect(await whole(changes)).toBeNull();
    const running = clientOf(answer).client.countInstances("not_running");
    expect(await running).toMatchObject({ whole: null });
  });

  test.each([
    ["are not in the answer", { instances: [], total_instances: 3 }],
    ["are those of the page alone", { instances: [], total_instances: 3, label_counts: { [LABEL]: 1 } }],
  ])("are unknown when they %s", async (_, answer) => {
    expect(await clientOf(answer).client.countInstances("all")).toBeNull();
  });
});

describe("the instance list", () => {
  test("requests exactly this label, in a stable order, with the largest page", async () => {
    const { client, calls } = clientOf({ instances: [], total_instances: 0 });
    await client.listInstances(LABEL);
    expect(calls).toEqual([
      {
        method: "GET",
        path: "/api/v1/instances/",
        query: { select_filters: { label: { eq: LABEL } }, order_by: [{ col: "id", dir: "asc" }], limit: 25 },
        endpoint: "list",
      },
    ]);
  });

  test("walks all pages", async () => {
    const { client, calls } = clientOf(
      { instances: rowsOf(1, 2), next_token: "a", total_instances: 5 },
      { instances: rowsOf(3, 4), next_token: "b", total_instances: 5 },
      { instances: rowsOf(5), next_token: null, total_instances: 5 },
    );
    expect((await client.listInstances(LABEL)).map((row) => row.id)).toEqual([1, 2, 3, 4, 5]);
    expect(calls.map((call) => call.query?.after_token)).toEqual([undefined, "a", "b"]);
  });

  test.each([undefined, null, ""])("ends at a next_token of %j", async (next_token) => {
    const { client } = clientOf({ instances: rowsOf(1), next_token });
    expect(await client.listInstances(LABEL)).toHaveLength(1);
  });

  test("excludes every other label", async () => {
    const labels = [LABEL, `${LABEL}0`, LABEL.toUpperCase(), `${LABEL} `, "", null, undefined];
    const { client } = clientOf({ instances: labels.map((label, i) => ({ id: i + 1, label })) });
    expect((await client.listInstances(LABEL)).map((row) => row.id)).toEqual([1]);
  });

  test.each([{ instances: null }, { instances: {} }, {}, { instances: "none" }, { success: true, error: "x" }])(
    "is unknown, not empty, when `instances` is not a list: %j",
    async (answer) => {
      await expect(clientOf(answer).client.listInstances(LABEL)).rejects.toEqual(malformed(/not a list/));
    },
  );

  test("is unknown when there are fewer rows than the API announced", async () => {
    const { client } = clientOf({ instances: rowsOf(1), total_instances: 2 });
    await expect(client.listInstances(LABEL)).rejects.toEqual(malformed(/1 rows arrived, but the API announced 2/));
  });

  test("is unknown when there are fewer rows than the API says it found", async () => {
    const { client } = clientOf({ instances: [], instances_found: 1 });
    await expect(client.listInstances(LABEL)).rejects.toEqual(malformed(/0 rows arrived, but the API found 1/));
  });

  test.each([
    ["of the page", 2, 1],
    ["of the whole list", 3, 3],
    ["of the page, as text", "2", "1"],
  ])("accepts the number of found rows %s", async (_, first, second) => {
    const { client } = clientOf(
      { instances: rowsOf(1, 2), next_token: "a", total_instances: "3", instances_found: first },
      { instances: rowsOf(3), total_instances: "3", instances_found: second },
    );
    expect(await client.listInstances(LABEL)).toHaveLength(3);
  });

  test("is unknown when a page token comes twice", async () => {
    const page = { instances: [], next_token: "a" };
    await expect(clientOf(page, page).client.listInstances(LABEL)).rejects.toEqual(malformed(/token came twice/));
  });

  test("is unknown when the same instance comes twice: rows moved between pages", async () => {
    const { client } = clientOf({ instances: rowsOf(1, 1), total_instances: 2 });
    await expect(client.listInstances(LABEL)).rejects.toEqual(malformed(/twice/));
  });

  test("is unknown when it never ends", async () => {
    const pages = Array.from({ length: 50 }, (_, i) => ({ instances: [], next_token: `t${i}` }));
    const { client, calls } = clientOf(...pages);
    await expect(client.listInstances(LABEL)).rejects.toEqual(malformed(/did not end/));
    expect(calls).toHaveLength(40);
  });

  test("is unknown when a row has no readable id", async () => {
    await expect(clientOf({ instances: [{ label: LABEL }] }).client.listInstances(LABEL)).rejects.toEqual(
      malformed(/no readable id/),
    );
  });

  test("is unknown when a later page fails", async () => {
    const failure = new VastError({ kind: "unavailable", call: "GET", status: 502, slug: "", text: "" });
    const { client } = clientOf({ instances: rowsOf(1), next_token: "a" }, failure);
    await expect(client.listInstances(LABEL)).rejects.toBe(failure);
  });
});

describe("the template", () => {
  const mine = { id: 1, hash_id: "h1", name: "demo", creator_id: 9 };
  const find = (...templates: object[]) => clientOf({ id: 9 }, { templates });

  test("is searched by name among the account's own", async () => {
    const { client, calls } = find(mine);
    expect(await client.findTemplate("demo")).toMatchObject({ id: 1, hash: "h1" });
    expect(calls[1]?.query?.select_filters).toEqual({ creator_id: { eq: 9 }, name: { eq: "demo" } });
  });

  test("of another user is never used, even if the API ignores the filter", async () => {
    const { client } = find({ ...mine, creator_id: 8 }, { ...mine, creator_id: null }, { ...mine, name: "demo2" });
    expect(await client.findTemplate("demo")).toBeNull();
  });

  test("is the newest of several with the same name", async () => {
    const { client } = find(mine, { ...mine, id: 3, hash_id: "h3" }, { ...mine, id: 2, hash_id: "h2" });
    expect(await client.findTemplate("demo")).toMatchObject({ id: 3, hash: "h3" });
  });

  test("reports duplicates once, and again when they change", async () => {
    const [second, third] = [2, 3].map((id) => ({ ...mine, id, hash_id: `h${id}` }));
    const lists = [[mine, second], [mine, second], [mine], [mine, second], [mine, second, third]];
    const { client, duplicates } = clientOf({ id: 9 }, ...lists.map((templates) => ({ templates })));
    for (const _ of lists) await client.findTemplate("demo");
    expect(duplicates).toEqual([
      [2, 1],
      [2, 1],
      [3, 2, 1],
    ]);
  });

  test("becomes unknown because of an unreadable row of its own, but not because of another user's", async () => {
    const { client } = find({ creator_id: 8, name: "demo" }, { creator_id: 9, name: "other" }, mine);
    expect(await client.findTemplate("demo")).toMatchObject({ id: 1 });
    await expect(find({ creator_id: 9, name: "demo" }).client.findTemplate("demo")).rejects.toEqual(malformed(/id/));
    await expect(find({ name: "demo" }, mine).client.findTemplate("demo")).rejects.toEqual(malformed(/id/));
  });

  test("reads the account only once", async () => {
    const { client, calls } = clientOf({ id: 9 }, { templates: [] }, { templates: [] });
    await client.findTemplate("demo");
    await client.findTemplate("demo");
    expect(calls.map((call) => call.path)).toEqual([
      "/api/v0/users/current/",
      "/api/v0/template/",
      "/api/v0/template/",
    ]);
  });

  test("belongs to another account when the key in use does", async () => {
    const key = { now: "a" };
    const users: Record<string, number> = { a: 8, b: 9 };
    const client = createVastClient(
      async ({ path }) => (path.includes("users") ? { id: users[key.now] } : { templates: [mine] }),
      { apiKey: () => key.now },
    );
    expect(client.accountId()).toBeNull();
    expect(await client.findTemplate("demo")).toBeNull();
    expect(client.accountId()).toBe(8);
    key.now = "b";
    expect(client.accountId()).toBeNull();
    expect(await client.findTemplate("demo")).toMatchObject({ id: 1 });
    expect(await client.readAccountId()).toBe(9);
  });

  test("is found also when the account's id comes as text", async () => {
    const { client } = clientOf({ id: "9" }, { templates: [mine] });
    expect(await client.findTemplate("demo")).toMatchObject({ id: 1 });
  });

  test("reads the account again after a failure", async () => {
    const failure = new VastError({ kind: "auth", call: "GET", status: 404, slug: "auth_error", text: "" });
    const { client } = clientOf(failure, { id: 9 }, { templates: [mine] });
    await expect(client.findTemplate("demo")).rejects.toBe(failure);
    expect(await client.findTemplate("demo")).toMatchObject({ id: 1 });
  });

  test("is unknown when the answer is not a list", async () => {
    await expect(clientOf({ id: 9 }, {}).client.findTemplate("demo")).rejects.toEqual(malformed(/not a list/));
    await expect(clientOf({}).client.findTemplate("demo")).rejects.toEqual(malformed(/no user id/));
  });
});

describe("the offers", () => {
  test("come in the API's order, without rows that cannot be read", async () => {
    const { client, calls } = clientOf({ offers: [{ id: 3 }, { machine_id: 1 }, { id: 1 }, { id: 2 }] });
    const search = { gpu_name: { eq: "RTX 4090" }, type: "on-demand" };
    expect((await client.searchOffers(search)).map((offer) => offer.id)).toEqual([3, 1, 2]);
    expect(calls[0]).toEqual({ method: "POST", path: "/api/v0/bundles/", body: search, endpoint: "search" });
  });

  test("are an error, not empty, when the answer is not a list", async () => {
    await expect(clientOf({ offers: {} }).client.searchOffers({})).rejects.toEqual(malformed(/not a list/));
  });
});

const always = () => true;

describe("a create", () => {
  const request = { offerId: 5, templateHash: "h1", image: "example/app:2", label: LABEL, diskSpace: 32 };

  test("sends all required fields, and no price: a price would make it a bid", async () => {
    const { client, calls } = clientOf({ success: true, new_contract: 42 });
    expect(await client.createInstance({ ...request, imageLogin: "-u me -p secret host" }, always)).toBe(42);
    expect(calls[0]).toMatchObject({ method: "PUT", path: "/api/v0/asks/5/", endpoint: "create" });
    expect(calls[0]?.body).toEqual({
      client_id: "me",
      template_hash_id: "h1",
      image: "example/app:2",
      label: LABEL,
      disk: 32,
      cancel_unavail: true,
      image_login: "-u me -p secret host",
    });
  });

  test("sends what is bid", async () => {
    const { client, calls } = clientOf({ new_contract: 42 });
    await client.createInstance({ ...request, bid: 0.25 }, always);
    expect(calls[0]?.body).toMatchObject({ price: 0.25, cancel_unavail: true });
  });

  test("sends no login when there is none: the template's own is used", async () => {
    const { client, calls } = clientOf({ new_contract: 42 });
    await client.createInstance(request, always);
    expect(calls[0]?.body).not.toHaveProperty("image_login");
  });

  test("reads the contract's id also when it comes as text", async () => {
    expect(await clientOf({ new_contract: "42" }).client.createInstance(request, always)).toBe(42);
  });

  test.each([
    { success: true },
    { new_contract: null },
    { new_contract: 0 },
    { new_contract: "x" },
    { new_contract: true },
  ])("has an unknown outcome when a success has no contract id: %j", async (answer) => {
    await expect(clientOf(answer).client.createInstance(request, always)).rejects.toEqual(malformed(/new_contract/));
  });

  test("is sent only once, whatever the answer is", async () => {
    const failure = new VastError({ kind: "unavailable", call: "PUT", status: 502, slug: "", text: "" });
    const { client, calls } = clientOf(failure, { new_contract: 42 });
    await expect(client.createInstance(request, always)).rejects.toBe(failure);
    expect(calls).toHaveLength(1);
  });
});

test("a destroy is sent to the instance's own path", async () => {
  const { client, calls } = clientOf({ success: true });
  await client.destroyInstance(42, always);
  expect(calls).toEqual([
    { method: "DELETE", path: "/api/v0/instances/42/", body: {}, endpoint: "destroy", fence: always },
  ]);
});

test("a label is written alone: the state of the instance is not named", async () => {
  const { client, calls } = clientOf({ success: true });
  await client.writeLabel(42, "k8s_pod=a", always);
  const path = "/api/v0/instances/42/";
  expect(calls).toEqual([{ method: "PUT", path, body: { label: "k8s_pod=a" }, endpoint: "manage", fence: always }]);
});

test("another bid is sent for an instance", async () => {
  const { client, calls } = clientOf({ success: true });
  await client.changeBid(42, 0.3, always);
  const body = { client_id: "me", price: 0.3 };
  const path = "/api/v0/instances/bid_price/42/";
  expect(calls).toEqual([{ method: "PUT", path, body, endpoint: "bid_price", retryRateLimited: false, fence: always }]);
});

test("an update in place has the id in its paths only, and no field that is not wanted", async () => {
  const { client, calls } = clientOf({ success: true }, { success: true }, { success: true });
  const update = { id: 42, templateHash: "4e17", image: "example/app:2" };
  await client.updateTemplate(update, always);
  await client.updateTemplate({ ...update, diskSpace: 64, imageLogin: "-u a -p b host" }, always);
  await client.recycleInstance(42, always);
  const body = { template_hash_id: "4e17", image: "example/app:2" };
  const prepare = { method: "PUT", path: "/api/v0/instances/update_template/42/", endpoint: "update_template" };
  expect(calls).toEqual([
    { ...prepare, body, fence: always },
    { ...prepare, body: { ...body, disk: 64, image_login: "-u a -p b host" }, fence: always },
    { method: "PUT", path: "/api/v0/instances/recycle/42/", body: {}, endpoint: "recycle", fence: always },
  ]);
});
