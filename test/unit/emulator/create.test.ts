import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../emulator/json.ts";
import {
  dump,
  jsonParameter,
  listed,
  numberAt,
  offers,
  onlyOffer,
  rent,
  rowsOf,
  type Trial,
  trial,
} from "./harness.ts";

const GOOD: JsonObject = { client_id: "me", image: "example/app:1", disk: 20, cancel_unavail: true };

function create(t: Trial, offer: number, body: JsonObject = {}) {
  return t.api("PUT", `/api/v0/asks/${offer}/`, { ...GOOD, ...body });
}

function templateHash(t: Trial, creator: number | null = null): string {
  const filters = { name: { eq: "demo" }, ...(creator === null ? {} : { creator_id: { eq: creator } }) };
  const rows = rowsOf(t.api("GET", `/api/v0/template/?select_filters=${jsonParameter(filters)}`), "templates");
  return String(rows.at(-1)?.hash_id);
}

describe("a create checks disk, label, arguments and price", () => {
  it.each<[string, JsonObject, string]>([
    ["a disk below 8 GB", { disk: 7.9 }, "invalid_args"],
    ["a label of 257 characters", { label: "x".repeat(257) }, "invalid_args"],
    ["arguments of more than 4096 characters", { args: ["x".repeat(4097)] }, "invalid_args"],
    [
      "onstart and arguments of more than 4096 characters together",
      { onstart: "x".repeat(4000), args_str: "y".repeat(97) },
      "invalid_args",
    ],
    ["a bid below 0.001", { price: 0.0001 }, "invalid_price"],
    ["a bid above 128", { price: 129 }, "invalid_price"],
    ["an environment name of 257 characters", { env: { ["N".repeat(257)]: "1" } }, "invalid_args"],
    ["an image of 1025 characters", { image: "i".repeat(1025) }, "invalid_args"],
    ["no image and no template", { image: null }, "invalid_args"],
    ["a template hash that nobody has", { template_hash_id: "0".repeat(32) }, "invalid_args"],
    ["a registry login with quotes", { image_login: "-u 'a' -p b c" }, "invalid_args"],
  ])("refuses %s", (_, body, slug) => {
    const t = trial();
    const offer = onlyOffer(t);
    const answer = create(t, offer, body);
    expect([answer.status, answer.body.error, answer.body.ask_id]).toEqual([400, slug, offer]);
    expect(t.emulator.world.instances.size).toBe(0);
  });

  it("accepts a label of 256 characters and 8 GB", () => {
    const t = trial();
    expect(create(t, onlyOffer(t), { label: "x".repeat(256), disk: 8 }).body.success).toBe(true);
  });

  it.each([
    [{ credit: 0 }, "insufficient_credit"],
    [{ spendLimited: true }, "spend_rate_limit"],
  ])("refuses for the account's sake: %j", (account, slug) => {
    const t = trial();
    t.order("POST", "account", account);
    const answer = create(t, onlyOffer(t));
    expect([answer.status, answer.body.error]).toEqual([400, slug]);
  });
});

describe("a create takes the offer, once", () => {
  it("returns the id of the new contract and a key for it", () => {
    const t = trial();
    const answer = create(t, onlyOffer(t));
    expect(answer.body).toEqual({
      success: true,
      new_contract: expect.any(Number),
      instance_api_key: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each<[number, number, string, string]>([
    [400, 400, "invalid_args", "error 404/3603: no_such_ask Instance type by id ID is not available."],
    [404, 404, "invalid_args", "error 404/3603: no_such_ask Instance type by id ID is not available."],
    [410, 410, "no_such_ask", "error 410/3907: no_such_ask Instance type ID is no longer available."],
  ])("rents an offer once; the second create gets %i", (takenOfferStatus, status, slug, msg) => {
    const t = trial();
    t.order("POST", "settings", { takenOfferStatus });
    const offer = onlyOffer(t);
    create(t, offer);
    const second = create(t, offer);
    expect(second.status).toBe(status);
    expect(second.body).toEqual({ success: false, error: slug, msg: msg.replace("ID", String(offer)), ask_id: offer });
  });

  it("refuses an offer that somebody else rented between search and create", () => {
    const t = trial();
    const [offer] = offers(t);
    t.order("DELETE", `offers/${offer?.id}`);
    expect(create(t, numberAt(offer ?? {}, "id")).body.msg).toContain("no_such_ask");
  });

  it("refuses the former id of an offer, although its GPUs are free again", () => {
    const t = trial();
    const offer = onlyOffer(t);
    const first = create(t, offer);
    t.api("DELETE", `/api/v0/instances/${first.body.new_contract}/`);
    expect(create(t, offer).body.msg).toContain("no_such_ask");
    expect(create(t, numberAt(offers(t)[0] ?? {}, "id")).body.success).toBe(true);
  });

  it("loses offers to other customers with the configured probability", () => {
    const t = trial({ settings: { offerGoneProbability: 1 } });
    expect(create(t, onlyOffer(t)).body.msg).toContain("no_such_ask");
    t.pass(7 * 3600);
    expect(offers(t)).toHaveLength(1);
  });

  it("makes a stopped contract, which costs its disk, when the GPUs are taken and cancel_unavail is false", () => {
    const t = trial();
    const offer = onlyOffer(t);
    create(t, offer);
    const second = create(t, offer, { cancel_unavail: false });
    expect(second.body.success).toBe(true);
    const id = numberAt(second.body, "new_contract");
    expect(listed(t, id)).toMatchObject({ cur_state: "stopped", next_state: "stopped", actual_status: null });
    t.pass(3600);
    expect(dump(t, id).cost).toEqual({ traffic: 0, gpu: 0, disk: expect.closeTo((0.15 * 20) / 720, 9) });
  });
});

describe("a bid below the minimum", () => {
  it("makes a stopped contract and says success:false", () => {
    const t = trial();
    const answer = create(t, onlyOffer(t, { min_bid: 0.2 }), { price: 0.1, cancel_unavail: false });
    expect([answer.status, answer.body.success]).toEqual([200, false]);
    const id = numberAt(answer.body, "new_contract");
    expect(listed(t, id)).toMatchObject({ is_bid: true, cur_state: "stopped", dph_base: 0.1 });
  });

  it("can refuse instead", () => {
    const t = trial({ settings: { lowBid: "no_such_ask" } });
    const answer = create(t, onlyOffer(t, { min_bid: 0.2 }), { price: 0.1 });
    expect([answer.status, answer.body.new_contract]).toEqual([400, undefined]);
    expect(answer.body.msg).toContain("no_such_ask");
  });

  it("makes any create with a price interruptible, at that price", () => {
    const t = trial({ settings: { bootSeconds: 0 } });
    const id = rent(t, { price: 0.3 }, { min_bid: 0.2 });
    t.pass(1);
    expect(listed(t, id)).toMatchObject({ is_bid: true, dph_base: 0.3, actual_status: "running" });
  });
});

describe("a create under a fault", () => {
  const faulty = (effect: JsonObject) => {
    const t = trial();
    t.order("POST", "faults", { method: "PUT", path: "/asks/", effect });
    const answer = create(t, onlyOffer(t), { label: "mine" });
    const rows = rowsOf(t.api("GET", "/api/v1/instances/"), "instances");
    return { t, answer, rows };
  };

  it("answers 502 though the contract exists", () => {
    const { answer, rows } = faulty({ kind: "commit-then", status: 502 });
    expect([answer.status, rows.length]).toEqual([502, 1]);
  });

  it("hangs though the contract exists", () => {
    const { answer, rows } = faulty({ kind: "hang-after" });
    expect([answer.raw.delivery.kind, rows.length]).toEqual(["hang", 1]);
  });

  it("says success but never shows the row, bills it, and still destroys it by id", () => {
    const { t, answer, rows } = faulty({ kind: "no-row" });
    expect([answer.body.success, rows.length]).toEqual([true, 0]);
    t.pass(3600);
    const id = numberAt(answer.body, "new_contract");
    expect(listed(t, id)).toBeNull();
    expect(dump(t, id)).toMatchObject({ listed: false, destroyedAt: null });
    expect(numberAt(dump(t, id).cost as JsonObject, "gpu")).toBeGreaterThan(0);
    expect(t.api("DELETE", `/api/v0/instances/${id}/`).status).toBe(200);
  });

  it("fails and names the contract that it made", () => {
    const { answer, rows } = faulty({
      kind: "rewrite",
      status: 400,
      set: { success: false, error: "spot_start_failed" },
    });
    expect([answer.status, answer.body.success]).toEqual([400, false]);
    expect(rows.map((row) => row.id)).toEqual([answer.body.new_contract]);
  });

  it("shows the row late", () => {
    const { t, answer, rows } = faulty({ kind: "late-row", seconds: 30 });
    expect(rows).toEqual([]);
    t.pass(30);
    expect(listed(t, numberAt(answer.body, "new_contract"))).not.toBeNull();
  });
});

describe("a create merges the template", () => {
  function withTemplate(template: JsonObject, body: JsonObject) {
    const t = trial();
    const made = t.api("POST", "/api/v0/template/", { name: "own", image: "example/app", tag: "3", ...template });
    const hash = (made.body.template as JsonObject).hash_id ?? null;
    const answer = create(t, onlyOffer(t), { image: null, disk: null, template_hash_id: hash, ...body });
    return dump(t, numberAt(answer.body, "new_contract"));
  }

  it("takes image, disk, start script and arguments from the template", () => {
    const template = { onstart: "echo hi", args_str: "--fast --loud", recommended_disk_space: 33, runtype: "args" };
    expect(withTemplate(template, {})).toMatchObject({
      image_uuid: "example/app:3",
      disk_space: 33,
      onstart: "echo hi",
      image_args: ["--fast", "--loud"],
      image_runtype: "args",
      template_name: "own",
    });
  });

  it("prefers the request's values; null counts as missing", () => {
    const dumped = withTemplate(
      { onstart: "echo hi" },
      { image: "example/app:9", disk: 50, onstart: null, label: null },
    );
    expect(dumped).toMatchObject({ image_uuid: "example/app:9", disk_space: 50, onstart: "echo hi", label: null });
  });

  it("merges the environments by name", () => {
    const dumped = withTemplate({ env: "-p 8000:8000 -e A=1 -e B='two words'" }, { env: { A: "9", C: "3" } });
    expect(dumped.extra_env).toEqual([
      ["-p 8000:8000", "1"],
      ["A", "9"],
      ["B", "two words"],
      ["C", "3"],
    ]);
  });

  it("uses the template's registry login unless the request has one", () => {
    const login = { docker_login_repo: "r.example", docker_login_user: "u", docker_login_pass: "p" };
    expect(withTemplate(login, {}).imageLogin).toMatch(/^-u u -p sha256:[0-9a-f]{16} r\.example$/);
    expect(withTemplate(login, { image_login: "-u v -p q s.example" }).imageLogin).toMatch(/^-u v .* s\.example$/);
  });

  it("accepts an environment as text and ignores it, unless the settings say otherwise", () => {
    expect(withTemplate({}, { env: "-p 9000:9000" }).extra_env).toEqual([]);
    const t = trial({ settings: { stringEnv: "parsed" } });
    expect(dump(t, rent(t, { env: "-p 9000:9000 -e K=v" })).extra_env).toEqual([
      ["-p 9000:9000", "1"],
      ["K", "v"],
    ]);
  });
});

describe("image tags and template hashes", () => {
  it("resolves the automatic tag for the vendor's own images", () => {
    const t = trial();
    const id = rent(t, { image: "vastai/base-image:@vastai-automatic-tag" });
    expect(listed(t, id)?.image_uuid).toMatch(/^vastai\/base-image:[a-z0-9.-]+$/);
  });

  it("cannot pull the automatic tag of anybody else's image", () => {
    const t = trial({ settings: { bootSeconds: 60 } });
    const id = rent(t, { image: "example/app:@vastai-automatic-tag" });
    t.pass(600);
    expect(listed(t, id)).toMatchObject({
      actual_status: "loading",
      status_msg: expect.stringContaining("manifest unknown"),
    });
  });

  it("keeps the hash that the template had at the create", () => {
    const t = trial();
    const hash = templateHash(t, 104_717);
    const id = rent(t, { template_hash_id: hash, image: null });
    t.order("PATCH", "templates/demo", { env: "-p 8000:8000 -e NEW=1" });
    expect(templateHash(t, 104_717)).not.toBe(hash);
    expect(listed(t, id)?.template_hash_id).toBe(hash);
  });

  it("refuses the hash of an earlier revision, or accepts it if the settings say so", () => {
    const t = trial();
    const hash = templateHash(t, 104_717);
    t.order("PATCH", "templates/demo", { tag: "2" });
    expect(create(t, onlyOffer(t), { template_hash_id: hash }).status).toBe(400);
    t.order("POST", "settings", { staleTemplateHash: "works" });
    const answer = create(t, onlyOffer(t), { template_hash_id: hash, image: null });
    expect(listed(t, numberAt(answer.body, "new_contract"))).toMatchObject({
      image_uuid: "example/app:1",
      template_hash_id: hash,
    });
  });
});
