import { expect, test } from "vitest";
import { checkSettings, checkTemplateFile } from "../../../../provisioner/doctor/read-settings.ts";

const ENV = {
  POD_NAME: "web-0",
  VAST_API_KEY: "key",
  VAST_TEMPLATE_NAME: "demo",
  VAST_TEMPLATE_IMAGE: "example/app:2",
  DOCKER_LOGIN: "none",
  VAST_SEARCH_QUERY: "num_gpus=1",
};
const findingsOf = (env: Record<string, string>) =>
  checkSettings({ env: { ...ENV, ...env }, flags: {}, readFile: () => "" }).findings;

test.each([
  [{ POD_NAME: "" }, "POD_NAME is missing", /^set it to the pod's name/],
  [{ VAST_MAX_DPPH: "1" }, "VAST_MAX_DPPH is not a setting", /^did you mean VAST_MAX_DPH\?/],
  [
    { VAST_SEARCH_QUERY: '{"type": "reserved"}' },
    String.raw`VAST_SEARCH_QUERY is "{\"type\": \"reserved\"}"`,
    /^expected a JSON object .* - remove "type"\)\.$/,
  ],
  [
    { VAST_SEARCH_QUERY: '{"a": "\\\\"' },
    String.raw`VAST_SEARCH_QUERY is "{\"a\": \"\\\\\""`,
    /^expected a JSON object/,
  ],
  [{ VAST_LABEL: "a: b" }, 'VAST_LABEL is "a: b"', /^expected 1-128 printable characters/],
  [{ VAST_URL: "ftp://x: y" }, 'VAST_URL is "ftp://x: y"', /^expected /],
  [{ DOCKER_LOGIN: "-u me: x" }, "DOCKER_LOGIN cannot be read (its value is not shown)", /^expected /],
  [
    { VAST_PRICE_INCREASE: "accept-under-max" },
    /^VAST_PRICE_INCREASE is .* VAST_MAX_DPH is missing$/,
    /^set the highest/,
  ],
])("a setting that cannot be used is named with its value, and what to do follows: %j", (env, message, remedy) => {
  expect(findingsOf(env)).toEqual([
    {
      check: "settings",
      verdict: "fail",
      message: typeof message === "string" ? message : expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    },
  ]);
});

test("a template file that cannot be used is named with what to do, before run refuses to start with it", async () => {
  const check = (text: string | null) =>
    checkTemplateFile("/etc/t.yaml", {
      env: {},
      flags: {},
      readFile: () => {
        if (text === null) throw Object.assign(new Error("no"), { code: "ENOENT" });
        return text;
      },
    });
  const wrong = await check("imag: a\nimage: a");
  expect(wrong.findings).toMatchObject([
    { check: "settings", verdict: "fail", remedy: expect.stringMatching(/mean image\?$/) },
  ]);
  expect((await check(null)).findings).toMatchObject([
    { verdict: "fail", remedy: expect.stringContaining("readable file") },
  ]);
  expect(await check("image: a")).toMatchObject({ wanted: { image: "a" }, findings: [] });
  expect(await checkTemplateFile(undefined, { env: {}, flags: {}, readFile: () => "" })).toEqual({
    wanted: null,
    findings: [],
  });
});
