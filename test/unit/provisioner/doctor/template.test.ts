import { describe, expect, test } from "vitest";
import { judgeTemplate } from "../../../../provisioner/doctor/template.ts";
import { template } from "../plan/situation.ts";

const login = { user: "u", password: "p", host: "registry.example", text: "" };
const settings = { name: "demo", image: "registry.example/app:2", upstreamPort: undefined, login, wanted: null };
const judge = (env: string, over: object = {}, row: object = {}) =>
  judgeTemplate(template, { env, ...row }, { ...settings, ...over });

describe("the template", () => {
  test("has one port to serve", () => {
    expect(judge("-p 8000:8000 -p 22:22 -e A='-p 9:9' -p 53:53/udp")).toEqual([
      {
        check: "template",
        verdict: "ok",
        message: "demo (4e17aa01), 32 GB of disk, publishes 8000/tcp, 22/tcp, 53/udp",
        remedy: null,
      },
      { check: "login", verdict: "ok", message: "u at registry.example, for registry.example/app:2", remedy: null },
    ]);
  });

  test.each([
    ["", {}, /publishes no port/, /-p 8000:8000/],
    ["-p 22:22 -p 8080:8080", {}, /publishes 22\/tcp, 8080\/tcp/, /-p 8000:8000/],
    ["-p 8000:8000 -p 9000:9000", {}, /8000\/tcp, 9000\/tcp/, /set VAST_UPSTREAM_PORT/],
    ["-p 8000:8000", { upstreamPort: 9000 }, /but not VAST_UPSTREAM_PORT 9000/, /-p 9000:9000/],
  ])("is doubtful with the ports %s and %o", (env, over, message, remedy) => {
    const [finding] = judge(env, over);
    expect(finding).toMatchObject({ verdict: "warn" });
    expect(finding?.message).toMatch(message);
    expect(finding?.remedy).toMatch(remedy);
  });

  test("serves the port that the settings name", () => {
    expect(judge("-p 8000:8000 -p 9000:9000", { upstreamPort: 9000 })[0]?.verdict).toBe("ok");
  });

  test("is compared with the file that run writes it from, without its values", () => {
    const wanted = {
      image: "example/app:2",
      ports: null,
      env: { TOKEN: "sekrit" },
      secretNames: ["TOKEN"],
      login: null,
      fields: {},
      secrets: ["sekrit"],
    };
    const row = { image: "example/app", tag: "1" };
    const [, differs] = judge("-p 8000:8000 -e TOKEN=sekrit-old", { wanted }, row);
    expect(differs).toMatchObject({ check: "template", verdict: "warn" });
    expect(differs?.message).toMatch(/differs from VAST_TEMPLATE_FILE in image, env TOKEN: run edits it/);
    expect(JSON.stringify(differs)).not.toContain("sekrit");
    const same = judge("-p 8000:8000 -e TOKEN=sekrit", { wanted }, { ...row, tag: "2" });
    expect(same.map(({ verdict }) => verdict)).toEqual(["ok", "ok"]);
    const [missing, ...more] = judgeTemplate(null, {}, { ...settings, wanted });
    expect([missing?.verdict, more]).toEqual(["warn", []]);
    expect(missing?.message).toMatch(/named "demo" yet: run creates it from VAST_TEMPLATE_FILE$/);
  });

  test("is missing", () => {
    expect(judgeTemplate(null, {}, settings)).toMatchObject([
      { verdict: "fail", message: 'the account has no template of its own named "demo"' },
    ]);
  });
});

describe("the registry login", () => {
  const loginLine = (over: object, row: object = {}) => judge("-p 8000:8000", over, row)[1];

  test.each(["app:2", "user/app:2", "docker.io/user/app", "index.docker.io/user/app"])(
    "fits the Docker Hub: %s",
    (image) => {
      expect(loginLine({ image, login: { ...login, host: "https://index.docker.io/v1/" } })?.verdict).toBe("ok");
    },
  );

  test.each(["example/app:2", "other.example:5000/app"])("is for another registry than that of %s", (image) => {
    expect(loginLine({ image })).toMatchObject({
      verdict: "warn",
      message: expect.stringMatching(/is for registry\.example, but/),
    });
  });

  test("is the template's", () => {
    const ofTemplate = loginLine({ login: null }, { docker_login_repo: "registry.example" });
    expect(ofTemplate?.message).toBe("the template's login for registry.example is used for registry.example/app:2");
    expect(loginLine({ login: null })?.message).toBe("no login is used for registry.example/app:2");
  });

  test("is not judged while a setting is unknown", () => {
    expect(judge("-p 8000:8000", { login: undefined })).toHaveLength(1);
  });
});
