// Settings that were not meant so are refused before anything is rented: by the program, and by each command that reads them.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
});
afterEach(() => pod.close());

/** What a program says that ends by itself. */
async function ended(env: Record<string, string>, command?: string[]) {
  const child = await pod.provision(env, command);
  return { ...(await child.exited), output: child.lines.join("\n") };
}

test("a mistyped name of a setting is refused, by each command that reads the setting", async () => {
  const slip = { VAST_MAX_DPPH: "0.5" };
  const said = "VAST_MAX_DPPH is not a setting: did you mean VAST_MAX_DPH? Rename it, or remove it.";
  expect(await ended(slip)).toMatchObject({ code: 2, output: expect.stringContaining(said) });
  expect(await ended(slip, ["plan"])).toMatchObject({ code: 2, output: expect.stringContaining(said) });
  const doctor = await ended(slip, ["doctor"]);
  expect(doctor).toMatchObject({ code: 1, output: expect.stringContaining("did you mean VAST_MAX_DPH?") });
  const reloader = await pod.reload({ NGINX_LISTEN_PRT: "8000" });
  expect((await reloader.exited).code).toBe(2);
  expect(reloader.lines.join("\n")).toContain("did you mean NGINX_LISTEN_PORT?");
  // It reads no price: an instance can be destroyed all the same. With another label it would not be this pod's.
  expect((await ended(slip, ["destroy", "--yes"])).code).toBe(0);
  expect((await ended({ VAST_LABLE: "x" }, ["destroy", "--yes"])).code).toBe(2);
  expect(await pod.emulator.mutations()).toEqual([]);
});

test("a field of the query that the API does not know is refused, and sent when that is allowed", async () => {
  const env = { VAST_SEARCH_QUERY: "gpu_nme=RTX_4090 num_gpus=1", VAST_SEARCH_ORDER: "dph" };
  const said = "did you mean gpu_name?";
  expect(await ended(env)).toMatchObject({ code: 2, output: expect.stringContaining(said) });
  expect(await ended(env, ["plan"])).toMatchObject({ code: 2, output: expect.stringContaining(said) });
  expect(await ended(env, ["doctor"])).toMatchObject({ code: 1, output: expect.stringContaining(said) });
  expect(await ended({}, ["query", "gpu_nme=x"])).toMatchObject({ code: 2, output: expect.stringContaining(said) });
  expect(await pod.emulator.mutations()).toEqual([]);
  const child = await pod.provision({ ...env, VAST_SEARCH_ALLOW_UNKNOWN: "true" });
  await pod.ready();
  expect(child.lines.join("\n")).toContain("it is sent because of VAST_SEARCH_ALLOW_UNKNOWN=true");
});

test("a search whose prices nobody pays is refused", async () => {
  for (const [type, why] of [
    ["reserved", "its prices hold after a prepayment, which is not made here"],
    ["bid", "bids are made with VAST_INSTANCE_TYPE=interruptible"],
  ] as const) {
    const env = { VAST_SEARCH_QUERY: JSON.stringify({ type, gpu_name: { eq: "RTX 4090" } }) };
    expect(await ended(env)).toMatchObject({ code: 2, output: expect.stringContaining(why) });
  }
  expect(await pod.emulator.mutations()).toEqual([]);
});

test("memory in the wrong unit is pointed out, at the start and by the commands", async () => {
  const env = { VAST_SEARCH_QUERY: '{"gpu_ram":{"gte":24},"order":[["dph_total","asc"]]}' };
  const said = "VAST_SEARCH_QUERY: gpu_ram gte 24 means 24 MB: probably 24000 was meant.";
  for (const command of ["doctor", "plan"]) expect((await ended(env, [command, "-o", "json"])).output).toContain(said);
  expect((await ended({}, ["query", "gpu_ram>=24000"])).output).toContain("probably 24 was meant");
  const child = await pod.provision({ ...env, VAST_POLICY: "observe" });
  await pod.until("it has made a pass", () => true);
  expect(child.lines.join("\n")).toContain(said);
});

test("an image that no host can pull is refused", async () => {
  for (const [image, said] of [
    ["example/App:2", '"App" is not in lower case: write app'],
    ["https://registry.example/app:2", "it is a URL: write registry.example/app:2"],
    ["example/app:", "the tag after the colon is missing"],
  ] as const) {
    expect(await ended({ VAST_TEMPLATE_IMAGE: image })).toMatchObject({
      code: 2,
      output: expect.stringContaining(said),
    });
    expect((await ended({}, ["plan", "--vast-template-image", image])).output).toContain(said);
  }
  expect(await pod.emulator.mutations()).toEqual([]);
});
