import { describe, expect, test } from "vitest";
import { differences, templateBody } from "../../../../provisioner/template/compare.ts";
import { exportTemplate } from "../../../../provisioner/template/export.ts";
import { readTemplateFile, type WantedTemplate } from "../../../../provisioner/template/file.ts";
import { formatYaml } from "../../../../provisioner/template/yaml.ts";
import { IMAGE_ONLY } from "./image-only.ts";

const ROW = { id: 7, hash_id: "h", name: "demo", image: "example/app", tag: "2", env: "-p 8000:8000 -e A=b" };
const LOGIN = { user: "me", password: "sekrit", host: "registry.example", text: "" };
const fieldsOf = (wanted: Partial<WantedTemplate>, row: Record<string, unknown> = {}) =>
  differences({ ...IMAGE_ONLY, ...wanted }, { ...ROW, ...row });

describe("what differs", () => {
  test("is nothing while all that the file names is there, whatever else the template has", () => {
    const row = { onstart: "x", readme: "y", docker_login_repo: "registry.example", env: "-e Z=1 -h name" };
    expect(fieldsOf({}, row)).toEqual([]);
  });

  test.each([
    [{ image: "docker.io/example/app:2" }, {}],
    [{}, { image: "example/app:2", tag: "" }],
    [{}, { image: "example/app", tag: "", default_tag: "2" }],
    [{ image: "example/app" }, { image: "example/app", tag: "latest" }],
    [{ ports: ["8000:8000/tcp"] }, {}],
    [{ ports: ["8000:8000", "8000:8000", "8000:8000/tcp"] }, {}],
    [{ env: { A: "b" } }, {}],
    [{ env: { A: "b c" } }, { env: '-e A="b c"' }],
    [{ env: {} }, { env: null }],
    [{ fields: { onstart: "echo\n" } }, { onstart: "echo\r\n" }],
    [{ fields: { desc: "" } }, { desc: null }],
    [{ fields: { use_ssh: false } }, { use_ssh: null }],
    [{ fields: { runtype: "ssh" } }, { runtype: "ssh_direct" }],
    [{ fields: { args_str: "a  b" } }, { args_str: "a b " }],
    [{ fields: { recommended_disk_space: 40 } }, { recommended_disk_space: 40.0001 }],
    [{ fields: { recommended_disk_space: 40 } }, { recommended_disk_space: "40" }],
    [{ fields: { extra_filters: { a: { eq: 1 }, b: {} } } }, { extra_filters: '{"b":{},"a":{"eq":1}}' }],
    [{ fields: { extra_filters: {} } }, { extra_filters: null }],
    [{ login: LOGIN }, { docker_login_repo: "registry.example" }],
  ] as const)("is nothing where the API has another form of the same: %j %j", (wanted, row) => {
    expect(fieldsOf(wanted as Partial<WantedTemplate>, row)).toEqual([]);
  });

  test.each<[Partial<WantedTemplate>, Record<string, unknown>, [string, string, string]]>([
    [{ image: "example/app:3" }, {}, ["image", "example/app:3", "example/app:2"]],
    [{ ports: ["9000:9000"] }, {}, ["ports", "9000:9000", "8000:8000"]],
    [{ ports: [] }, {}, ["ports", "(none)", "8000:8000"]],
    [{ env: { A: "c" } }, {}, ["env A", "c", "b"]],
    [{ env: { A: "b", B: "" } }, {}, ["env B", "(none)", "(none)"]],
    [{ fields: { onstart: "a" } }, { onstart: "b" }, ["onstart", "a", "b"]],
    [{ fields: { use_ssh: true } }, {}, ["use_ssh", "true", "(none)"]],
    [{ fields: { recommended_disk_space: 40 } }, { recommended_disk_space: 8 }, ["recommended_disk_space", "40", "8"]],
    [{ fields: { private: true } }, { private: false }, ["private", "true", "false"]],
    [{ fields: { extra_filters: { a: 1 } } }, {}, ["extra_filters", '{"a":1}', "(none)"]],
    [{ login: LOGIN }, {}, ["docker_login", "registry.example", "(none)"]],
  ])("is named field by field: %j %j", (wanted, row, [field, want, reported]) => {
    expect(fieldsOf(wanted, row)).toEqual([{ field, wanted: want, reported }]);
  });

  test("shows no secret, neither that of the file nor a value that the file does not know", () => {
    const wanted = { env: { TOKEN: "sekrit-new" }, secretNames: ["TOKEN"] };
    expect(fieldsOf(wanted, { env: "-e TOKEN=sekrit-old -e MORE=sekrit-more" })).toEqual([
      { field: "env TOKEN", wanted: "(secret)", reported: "(secret)" },
      { field: "env MORE", wanted: "(none)", reported: "(secret)" },
    ]);
    const open = { env: { API_TOKEN: "none", MODE: "new" }, fields: { onstart: "serve" } };
    const row = { env: "-e API_TOKEN=sekrit-old -e MODE=old", onstart: "export TOKEN=sekrit-old; serve" };
    expect(fieldsOf(open, row)).toEqual([
      { field: "env API_TOKEN", wanted: "none", reported: "(secret)" },
      { field: "env MODE", wanted: "new", reported: "old" },
      { field: "onstart", wanted: "serve", reported: "(secret)" },
    ]);
  });
});

describe("what is sent", () => {
  test("creates a private template with the file's fields", () => {
    const body = templateBody(
      { ...IMAGE_ONLY, ports: ["8000:8000"], env: { A: "b c", Q: 'x"y' }, login: LOGIN },
      "demo",
      null,
    );
    expect(body).toEqual({
      name: "demo",
      private: true,
      image: "example/app",
      tag: "2",
      env: `-p 8000:8000 -e A="b c" -e Q='x"y'`,
      docker_login_repo: "registry.example",
      docker_login_user: "me",
      docker_login_pass: "sekrit",
    });
  });

  test("keeps everything of the template that the file does not name", () => {
    const row = { ...ROW, env: "-e A=b -p 1:1 -h box --shm 2", onstart: "x", private: false, docker_login_repo: "r" };
    expect(templateBody({ ...IMAGE_ONLY, env: { B: "c" } }, "demo", row)).toEqual({
      name: "demo",
      private: false,
      image: "example/app",
      tag: "2",
      env: "-p 1:1 -e B=c -h box --shm 2",
      onstart: "x",
      docker_login_repo: "r",
    });
  });

  test.each([
    ["example/app", { image: "example/app", tag: "" }],
    ["registry.example:5000/app", { image: "registry.example:5000/app", tag: "" }],
    ["registry.example:5000/app:3", { image: "registry.example:5000/app", tag: "3" }],
    [`example/app@sha256:${"a".repeat(64)}`, { image: `example/app@sha256:${"a".repeat(64)}`, tag: "" }],
  ])("has the tag of %s apart", (image, parts) => {
    expect(templateBody({ ...IMAGE_ONLY, image }, "demo", null)).toMatchObject(parts);
  });

  test("has no difference to the template that it makes", () => {
    const wanted = {
      ...IMAGE_ONLY,
      ports: ["1:1", "2:2/udp"],
      env: { A: "b c", B: "it's", C: "" },
      fields: { use_ssh: true },
    };
    expect(differences(wanted, templateBody(wanted, "demo", null))).toEqual([]);
  });
});

describe("an export", () => {
  test("is a file that does not differ from the template, but for what may be secret", () => {
    const row = {
      ...ROW,
      env: "-p 8000:8000 -e MODE=fast -e API_TOKEN=short -e X=abcdefghij0123456789 -e PLACE=https://me:pw@host -v a:b",
      docker_login_repo: "registry.example",
      desc: "",
      use_ssh: false,
      extra_filters: {},
      recommended_disk_space: 40,
    };
    expect(exportTemplate(row)).toEqual({
      content: {
        image: "example/app:2",
        ports: ["8000:8000"],
        env: {
          MODE: "fast",
          API_TOKEN: { from_env: "API_TOKEN" },
          X: { from_env: "X" },
          PLACE: { from_env: "PLACE" },
        },
        docker_login: { from_env: "DOCKER_LOGIN" },
        recommended_disk_space: 40,
      },
      hidden: ["API_TOKEN", "X", "PLACE", "docker flags -v"],
    });
  });

  test.each<[Record<string, unknown>, string[]]>([
    [{ runtype: "ssh_direct" }, []],
    [{ runtype: "jupyter_direc ssh_direc" }, []],
    [{ recommended_disk_space: "40" }, []],
    [{ recommended_disk_space: 4 }, ["recommended_disk_space"]],
    [{ extra_filters: '{"num_gpus":{"eq":1}}' }, []],
    [{ extra_filters: "num_gpus" }, ["extra_filters"]],
    [{ use_ssh: 1 }, []],
    [{ onstart: "x".repeat(5000) }, ["onstart"]],
    [{ onstart: "export TOKEN=sekrit-old; serve" }, ["onstart"]],
    [{ args_str: "--api-key sekrit-old" }, ["args_str"]],
    [{ env: "-p 8000:8000 -p 9000-9010:9000-9010" }, ["ports"]],
    [{ env: "-e my-mode=fast -e A=b" }, []],
    [{ env: "-e my.token=sekrit-old" }, ["my.token"]],
    [{ env: `-e A=b -e B='x"'"y'"` }, ["env"]],
  ])("can be read as a file that does not differ, whatever the template has: %j", async (more, hidden) => {
    const row = { ...ROW, ...more };
    const exported = exportTemplate(row);
    expect(exported.hidden).toEqual(hidden);
    const text = formatYaml(exported.content);
    expect(text).not.toContain("sekrit");
    const source = { path: "/t.yaml", env: { my_token: "sekrit-old" }, readFile: () => text };
    expect(differences(await readTemplateFile(source), row)).toEqual([]);
  });
});
