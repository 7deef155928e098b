import { describe, expect, test } from "vitest";
import { acceptable, diskSpace, searchBody } from "../../../provisioner/choose.ts";
import { HOUR, memory, NOW, offer, template } from "./situation.ts";

const ban = (id: number, kind: "host" | "machine" = "host") => ({ kind, id, reason: "start_timeout" });

describe("the search", () => {
  test("asks for the template's disk space, or the API's default, and never for less than the API takes", () => {
    expect(diskSpace({ ...template, diskSpace: 32.5 })).toBe(32.5);
    expect(diskSpace({ ...template, diskSpace: null })).toBe(10);
    expect(diskSpace({ ...template, diskSpace: 1 })).toBe(8);
  });

  test("leaves the user's query in force", () => {
    const query = { gpu_name: { eq: "RTX 4090" }, order: [["dph_total", "asc"]], limit: 5, type: "ondemand" };
    expect(searchBody(query, 32, [], undefined)).toEqual({ ...query, allocated_storage: 32 });
  });

  test("is for on-demand instances where the user names no type", () => {
    expect(searchBody({}, 32, [], undefined)).toEqual({ type: "on-demand", allocated_storage: 32 });
  });

  test("leaves banned hosts out beside those that the user leaves out", () => {
    const query = { host_id: { notin: [1], gt: 0 } };
    expect(searchBody(query, 32, [ban(2), ban(3)], undefined).host_id).toEqual({ notin: [1, 2, 3], gt: 0 });
    expect(searchBody({ host_id: { eq: 9 } }, 32, [ban(2)], undefined).host_id).toEqual({ eq: 9, notin: [2] });
  });

  test("leaves banned machines out by their own id, beside banned hosts", () => {
    const body = searchBody({ machine_id: { notin: [1] } }, 32, [ban(2), ban(3, "machine")], undefined);
    expect(body).toMatchObject({ host_id: { notin: [2] }, machine_id: { notin: [1, 3] } });
    expect(searchBody({}, 32, [ban(3, "machine")], undefined)).not.toHaveProperty("host_id");
  });

  test("takes the lower of the user's price and the ceiling", () => {
    const price = (query: object, ceiling: number) => searchBody({ ...query }, 32, [], ceiling).dph_total;
    expect(price({}, 0.5)).toEqual({ lte: 0.5 });
    expect(price({ dph_total: { lte: 0.4, gte: 0.1 } }, 0.5)).toEqual({ lte: 0.4, gte: 0.1 });
    expect(price({ dph_total: { lte: "0.9" } }, 0.5)).toEqual({ lte: 0.5 });
  });

  test("leaves the user's query untouched", () => {
    const query = { host_id: { notin: [1] } };
    searchBody(query, 32, [ban(2)], 0.5);
    expect(query).toEqual({ host_id: { notin: [1] } });
  });
});

describe("the choice", () => {
  const ids = (choice: ReturnType<typeof acceptable>) => choice.offers.map((o) => o.id);
  const choose = (
    offers: ReturnType<typeof offer>[],
    more: { memory?: object; ceiling?: number; bans?: number[] } = {},
  ) =>
    acceptable(
      offers,
      (more.bans ?? []).map((id) => ban(id)),
      memory(more.memory),
      more.ceiling,
    );

  test("keeps the API's order, which is the user's", () => {
    expect(ids(choose([offer({ id: 3 }), offer({ id: 1 }), offer({ id: 2 })]))).toEqual([3, 1, 2]);
  });

  test("leaves out what is not rentable", () => {
    const none = choose([offer({ rentable: false })]);
    expect(none.offers).toEqual([]);
    expect(none.summary).toContain("not rentable");
  });

  test("leaves out banned hosts even if the search did not", () => {
    expect(ids(choose([offer({ id: 1, hostId: 5 }), offer({ id: 2, hostId: 6 })], { bans: [5] }))).toEqual([2]);
  });

  test("leaves out a banned machine and not its host's others", () => {
    const offers = [offer({ id: 1, hostId: 5, machineId: 50 }), offer({ id: 2, hostId: 5, machineId: 51 })];
    const choice = acceptable(offers, [ban(50, "machine"), ban(51)], memory(), undefined);
    expect(ids(choice)).toEqual([2]);
    expect(choice.summary).toContain("1 on a banned machine");
  });

  test("leaves out machines that failed within the last hour", () => {
    const avoided = [{ machineId: 1, until: NOW + HOUR }];
    const offers = [offer({ id: 1, machineId: 1 }), offer({ id: 2, machineId: 2 }), offer({ id: 3, machineId: null })];
    expect(ids(choose(offers, { memory: { avoided } }))).toEqual([2, 3]);
  });

  test("leaves out offers that were just found taken", () => {
    const goneOffers = [{ id: 1, until: NOW + 1 }];
    expect(ids(choose([offer({ id: 1 }), offer({ id: 2 })], { memory: { goneOffers } }))).toEqual([2]);
  });

  test("leaves out what is above the ceiling, and what names no price under a ceiling", () => {
    const offers = [
      offer({ id: 1, dollarsPerHour: 0.51 }),
      offer({ id: 2, dollarsPerHour: 0.5 }),
      offer({ id: 3, dollarsPerHour: null }),
    ];
    expect(ids(choose(offers, { ceiling: 0.5 }))).toEqual([2]);
    expect(ids(choose(offers))).toEqual([1, 2, 3]);
  });

  test("says what became of the rest", () => {
    const offers = [offer({ id: 1 }), offer({ id: 2, rentable: false }), offer({ id: 3, hostId: 5 })];
    expect(choose(offers, { bans: [5] }).summary).toBe(
      "of 3 offers 1 can be taken, the others are: 1 not rentable, 1 on a banned host",
    );
  });
});
