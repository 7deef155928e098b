import { describe, expect, test } from "vitest";
import type { Filters } from "../../../../provisioner/search/fields.ts";
import { readQuery } from "../../../../provisioner/search/query.ts";
import {
  queryAlone,
  type Requirements,
  requirements,
  searchBody,
} from "../../../../provisioner/search/requirements.ts";
import { query, template } from "../plan/situation.ts";

const ban = (id: number, kind: "host" | "machine" = "host") => ({ kind, id, reason: "start_timeout" });
const needs = (over: Partial<Requirements> = {}) => ({ ...requirements(template, undefined, []), ...over });
const bodyOf = (filters: Filters, over: Partial<Requirements> = {}, passedOver: number[] = []) =>
  searchBody(query(filters), needs(over), passedOver);

describe("what an offer must have", () => {
  test("is the template's disk space, or the API's default, and never less than the API's minimum", () => {
    expect(requirements({ ...template, diskSpace: 32.5 }, undefined, []).diskGb).toBe(32.5);
    expect(requirements({ ...template, diskSpace: null }, undefined, []).diskGb).toBe(10);
    expect(requirements({ ...template, diskSpace: 1 }, undefined, []).diskGb).toBe(8);
  });

  test("is one direct port for each port that the template publishes, and one for ssh", () => {
    expect(requirements({ ...template, publishedPorts: 3 }, undefined, []).directPorts).toBe(4);
    expect(requirements({ ...template, publishedPorts: 0 }, undefined, []).directPorts).toBe(1);
  });
});

describe("the search", () => {
  test("keeps the user's query", () => {
    const options = { order: [["dph_total", "asc"]], limit: 5, type: "ondemand" };
    const body = searchBody(query({ gpu_name: { eq: "RTX 4090" } }, options), needs(), []);
    expect(body).toEqual({
      ...options,
      gpu_name: { eq: "RTX 4090" },
      direct_port_count: { gte: 2 },
      duration: { gte: 86_400 },
      allocated_storage: 32,
    });
  });

  test("demands that an offer lasts so long, and longer where the user does", () => {
    const lasts = (filters: Filters) =>
      searchBody({ ...query(filters), minDurationSeconds: 4500 }, needs(), []).duration;
    expect(lasts({})).toEqual({ gte: 4500 });
    expect(lasts({ duration: { gte: 86_400 } })).toEqual({ gte: 86_400 });
    expect(lasts({ duration: { gt: 0 } })).toEqual({ gt: 0, gte: 4500 });
    expect(searchBody({ ...query(), minDurationSeconds: 0 }, needs(), [])).not.toHaveProperty("duration");
  });

  test("is for on-demand instances when the user sets no type", () => {
    expect(bodyOf({})).toMatchObject({ type: "on-demand", allocated_storage: 32 });
  });

  test("excludes banned hosts in addition to those that the user excludes", () => {
    const bans = [ban(2), ban(3)];
    expect(bodyOf({ host_id: { notin: [1], gt: 0 } }, { bans }).host_id).toEqual({ notin: [1, 2, 3], gt: 0 });
    expect(bodyOf({ host_id: { eq: 9 } }, { bans }).host_id).toEqual({ eq: 9, notin: [2, 3] });
  });

  test("excludes banned machines by their own id, in addition to banned hosts", () => {
    const bans = [ban(2), ban(3, "machine")];
    const body = bodyOf({ machine_id: { notin: [1] } }, { bans });
    expect(body).toMatchObject({ host_id: { notin: [2] }, machine_id: { notin: [1, 3] } });
    expect(bodyOf({}, { bans: [ban(3, "machine")] })).not.toHaveProperty("host_id");
  });

  test("excludes machines that failed here, so that they do not use up the API's limited result", () => {
    expect(bodyOf({}, { bans: [ban(3, "machine")] }, [3, 4])).toMatchObject({ machine_id: { notin: [3, 4] } });
  });

  test("uses the lower of the user's price and the ceiling", () => {
    const price = (filters: Filters) => bodyOf(filters, { maxDollarsPerHour: 0.5 }).dph_total;
    expect(price({})).toEqual({ lte: 0.5 });
    expect(price({ dph_total: { lte: 0.4, gte: 0.1 } })).toEqual({ lte: 0.4, gte: 0.1 });
    expect(price({ dph_total: { lte: "0.9" } })).toEqual({ lte: 0.5 });
    expect(price({ dph_total: { lt: "0.6" } })).toEqual({ lt: "0.6", lte: 0.5 });
    expect(price({ dph_total: { lte: "cheap" } })).toEqual({ lte: 0.5 });
  });

  test("requires direct ports, or more when the user requires more", () => {
    const ports = (condition: Filters[string]) => bodyOf({ direct_port_count: condition }).direct_port_count;
    expect(ports({ gte: 1 })).toEqual({ gte: 2 });
    expect(ports({ gte: "100" })).toEqual({ gte: 100 });
    expect(ports({ gt: 50 })).toEqual({ gt: 50, gte: 2 });
    expect(ports({ eq: "any" })).toEqual({ gte: 2 });
  });

  test("requires a duration of at least a day, unless the user sets one", () => {
    expect(bodyOf({ duration: { gt: 0 } }).duration).toEqual({ gt: 0 });
    expect(bodyOf({ duration: { eq: "any" } }).duration).toEqual({ eq: "any" });
    expect(bodyOf({ end_date: { gt: 1_800_000_000 } })).not.toHaveProperty("duration");
  });

  test("does not send order, type and limit of a text query as filters", () => {
    const body = searchBody(readQuery("limit=5 order=dph num_gpus=1"), needs(), []);
    expect(body).toMatchObject({ num_gpus: { eq: "1" }, type: "on-demand" });
    expect(body).toHaveProperty("limit", 64); // the API's maximum, not the filter
    expect(body).not.toHaveProperty("order");
  });

  test("does not modify the user's query", () => {
    const filters = { host_id: { notin: [1] } };
    bodyOf(filters, { bans: [ban(2)], maxDollarsPerHour: 0.5 });
    expect(filters).toEqual({ host_id: { notin: [1] } });
  });

  test("is the user's query alone, cheapest first, to explain why there is no offer", () => {
    const asked = query({ num_gpus: { eq: 1 } }, { limit: 2, order: [["score", "desc"]] });
    expect(queryAlone(asked, needs({ maxDollarsPerHour: 0.5, bans: [ban(2)] }))).toEqual({
      type: "on-demand",
      num_gpus: { eq: 1 },
      order: [["dph_total", "asc"]],
      limit: 64,
      allocated_storage: 32,
    });
  });
});
