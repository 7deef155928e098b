import { describe, expect, it } from "vitest";
import { isObject, type JsonObject } from "../../emulator/json.ts";
import { parseDockerFlags, wishedPorts } from "../../emulator/templates/docker-flags.ts";
import { jsonParameter, numberAt, rowsOf, type Trial, trial } from "./harness.ts";

const OWNER = 104_717;
const search = (t: Trial, filters: JsonObject, more = "") =>
  rowsOf(t.api("GET", `/api/v0/template/?select_filters=${jsonParameter(filters)}${more}`), "templates");
const own = (t: Trial) => rowsOf(t.api("GET", "/api/v0/users/me/created-templates/"), "templates");
const made = (t: Trial, body: JsonObject): JsonObject => {
  const { template } = t.api("POST", "/api/v0/template/", body).body;
  if (!isObject(template)) throw new Error("no template came back");
  return template;
};

describe("templates", () => {
  it("finds own and public templates, another user's of the same name first", () => {
    const rows = search(trial(), { name: { eq: "demo" } });
    expect(rows.map((row) => [row.name, row.creator_id === OWNER])).toEqual([
      ["demo", false],
      ["demo", true],
    ]);
  });

  it("never shows another user's private template", () => {
    const t = trial();
    for (const one of t.emulator.world.templates) if (one.creatorId !== OWNER) one.public = false;
    expect(search(t, {})).toHaveLength(1);
  });

  it("filters by creator", () => {
    const t = trial();
    const { id } = t.api("GET", "/api/v0/users/current").body;
    expect(search(t, { creator_id: { eq: id ?? null }, name: { eq: "demo" } })).toMatchObject([
      { creator_id: OWNER, image: "example/app:1", env: "-p 8000:8000", recommended_disk_space: 20 },
    ]);
    expect(own(t).map((row) => row.creator_id)).toEqual([OWNER]);
  });

  it("keeps the id and changes the hash when the content is edited, and has the old hash again when it is reverted", () => {
    const t = trial();
    const [before] = own(t);
    const put = (changes: JsonObject) =>
      t.api("PUT", "/api/v0/template/", { hash_id: own(t)[0]?.hash_id ?? null, ...changes });
    expect(put({ tag: "2" }).body.success).toBe(true);
    const [edited] = own(t);
    expect([edited?.id === before?.id, edited?.hash_id === before?.hash_id]).toEqual([true, false]);
    put({ tag: "" });
    expect(own(t)[0]?.hash_id).toBe(before?.hash_id);
  });

  it("can be changed and deleted by control routes", () => {
    const t = trial();
    const [before] = own(t);
    const { hash_id } = t.order("PATCH", "templates/demo", { image: "example/app:2" }).body;
    expect(own(t)).toMatchObject([{ id: before?.id, hash_id, image: "example/app:2" }]);
    expect(hash_id).not.toBe(before?.hash_id);
    expect(t.order("DELETE", `templates/${before?.id}`).status).toBe(200);
    expect(own(t)).toEqual([]);
    expect(t.order("PATCH", "templates/demo", {}).status).toBe(404);
  });

  it("returns the existing template for identical content, another one for different content", () => {
    const t = trial();
    const first = made(t, { name: "x", image: "a/b:1" });
    expect(made(t, { name: "x", image: "a/b:1" })).toEqual(first);
    expect(made(t, { name: "x", image: "a/b:2" }).id).not.toBe(first.id);
  });

  it("gives equal templates of two users the same hash", () => {
    const t = trial();
    const content = { name: "demo", image: "stranger/app:1", env: "-p 9000:9000", runtype: "args" };
    const mine = made(t, { ...content, recommended_disk_space: 20, readme: "for trials" });
    const [theirs] = search(t, { creator_id: { neq: OWNER } });
    expect([mine.hash_id, mine.id === theirs?.id]).toEqual([theirs?.hash_id, false]);
  });

  it("uses the account's own template when another user's has the same hash", () => {
    const t = trial();
    const [theirs] = search(t, { creator_id: { neq: OWNER } });
    const content = {
      name: "demo",
      image: "stranger/app:1",
      env: "-p 9000:9000",
      runtype: "args",
      readme: "for trials",
    };
    const mine = made(t, { ...content, recommended_disk_space: 20 });
    expect(mine.hash_id).toBe(theirs?.hash_id);
    const [offer] = t.emulator.world.market.offers.keys();
    t.api("PUT", `/api/v0/asks/${offer}/`, { template_hash_id: mine.hash_id ?? null, disk: 20 });
    expect(t.order("GET", "instances/any").body.template_id).toBe(mine.id);
  });

  it("deletes by id and refuses a hash", () => {
    const t = trial();
    const [template] = own(t);
    const byHash = t.api("DELETE", "/api/v0/template/", { hash_id: template?.hash_id ?? null });
    expect([byHash.status, byHash.body.msg]).toEqual([400, "Invalid Template ID or User ID"]);
    expect(t.api("DELETE", "/api/v0/template/", { template_id: template?.id ?? null }).status).toBe(200);
    expect(own(t)).toEqual([]);
  });

  it("refuses to edit or delete another user's template", () => {
    const t = trial();
    const [theirs] = search(t, { creator_id: { neq: OWNER } });
    expect(t.api("PUT", "/api/v0/template/", { hash_id: theirs?.hash_id ?? null, tag: "2" }).status).toBe(400);
    expect(t.api("DELETE", "/api/v0/template/", { template_id: theirs?.id ?? null }).status).toBe(400);
  });

  it.each(["running", "5", "[1]"])("refuses select_filters=%s", (filters) => {
    expect(trial().api("GET", `/api/v0/template/?select_filters=${filters}`).status).toBe(400);
  });

  it("refuses filters on unknown fields, and columns that are not a list", () => {
    const t = trial();
    expect(t.api("GET", `/api/v0/template/?select_filters=${jsonParameter({ readme: { eq: "" } })}`).status).toBe(400);
    expect(t.api("GET", "/api/v0/template/?select_cols=id").status).toBe(400);
  });

  it("returns the requested columns in the requested order", () => {
    const t = trial();
    made(t, { name: "a first", image: "x/y" });
    expect(search(t, {}, `&order_by=name&select_cols=${jsonParameter(["name", "nothing"])}`)).toEqual([
      { name: "a first", nothing: null },
      { name: "demo", nothing: null },
      { name: "demo", nothing: null },
    ]);
  });

  it("counts creates", () => {
    const t = trial();
    const [offer] = t.emulator.world.market.offers.keys();
    t.api("PUT", `/api/v0/asks/${offer}/`, { template_hash_id: own(t)[0]?.hash_id ?? null, disk: 20 });
    expect(numberAt(own(t)[0] ?? {}, "count_created")).toBe(1);
  });

  it("never shows the registry's password", () => {
    const t = trial();
    made(t, {
      name: "x",
      image: "a/b",
      docker_login_repo: "r.example",
      docker_login_user: "u",
      docker_login_pass: "hidden",
    });
    expect(own(t)[1]).toMatchObject({ docker_login_repo: "r.example" });
    expect(JSON.stringify(own(t))).not.toContain("hidden");
  });
});

describe("docker flags", () => {
  it.each<[string, Record<string, string>]>([
    ["-p 8000:8000 -e A=b", { "-p 8000:8000": "1", A: "b" }],
    ["-e A='two words' -e B=\"c d\"", { A: "two words", B: "c d" }],
    ["-p 8081:8081/udp -h box", { "-p 8081:8081/udp": "1", "-h": "box" }],
    ["-v data:/data -n net", { "-v data:/data": "1", "-n net": "1" }],
    ["--gpus all -p 1.2.3.4:80:80 -e A=1", { A: "1" }],
    ["-e NOVALUE -e A=b=c", { A: "b=c" }],
    ["", {}],
  ])("%j", (text, env) => {
    expect(parseDockerFlags(text)).toEqual(env);
  });

  it("wish for ports: with host port, without, udp, and the same inside as outside", () => {
    const env = {
      "-p 8000:9000": "1",
      "-p 7000": "1",
      "-p 53:53/udp": "1",
      "-p 70000:70000": "1",
      A: "1",
      "-p x": "1",
    };
    expect(wishedPorts(env)).toEqual([
      { container: 9000, protocol: "tcp", identity: false },
      { container: 7000, protocol: "tcp", identity: false },
      { container: 53, protocol: "udp", identity: false },
      { container: 70_000, protocol: "tcp", identity: true },
    ]);
  });
});
