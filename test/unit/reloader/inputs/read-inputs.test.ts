import { expect, test } from "vitest";
import { type InputSources, readInputs } from "../../../../reloader/inputs/read-inputs.ts";

const auth = { name: "X-Key", path: "/conf/default.conf.auth.0" };
const parts: InputSources = {
  auth: async () => ({ auth, usable: true, problem: null }),
  nginxVersion: async () => "1.30.0",
  template: null,
};
const gone = async () => {
  throw Object.assign(new Error("no such file"), { code: "ENOENT" });
};

test("what the config depends on is read at each pass", async () => {
  const render = { auth, nginxVersion: "1.30.0", template: null };
  expect(await readInputs(parts)).toEqual({ render, usable: true, problem: null });
  const template = { path: "/own.mustache", read: async () => "text" };
  expect(await readInputs({ ...parts, template })).toEqual({
    render: { ...render, template: "text" },
    usable: true,
    problem: null,
  });
});

test("a template that cannot be read makes the inputs unusable, with file, setting and reason", async () => {
  const inputs = await readInputs({ ...parts, template: { path: "/own.mustache", read: gone } });
  expect(inputs.usable).toBe(false);
  expect(inputs.problem).toMatch(
    /^\/own\.mustache \(NGINX_TEMPLATE_PATH\) cannot be read \(ENOENT\): put the template/,
  );
});

test("a problem with the secret is reported beside one with the template", async () => {
  const secret = async () => ({ auth, usable: true, problem: "the secret's file is gone" });
  expect(await readInputs({ ...parts, auth: secret })).toMatchObject({
    usable: true,
    problem: "the secret's file is gone",
  });
  const both = await readInputs({ ...parts, auth: secret, template: { path: "/own.mustache", read: gone } });
  expect(both.problem).toMatch(/^the secret's file is gone; \/own\.mustache/);
});
