import { describe, expect, test } from "vitest";
import { SettingsError } from "../../../../common/settings.ts";
import { readTemplateFile, type WantedTemplate } from "../../../../provisioner/template/file.ts";

const PATH = "/etc/vast-pod/template.yaml";
const FILES: Readonly<Record<string, string>> = {
  "/run/secrets/token": "sekrit-token\n",
  "/run/secrets/login": "-u user -p sekrit-pass registry.example\n",
  "/run/secrets/empty": "\n",
  "/run/secrets/lines": "one\ntwo",
};

function read(text: string): Promise<WantedTemplate> {
  const readFile = (path: string) => {
    const found = path === PATH ? text : FILES[path];
    if (found === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
    return found;
  };
  return readTemplateFile({ path: PATH, env: { TOKEN: "sekrit-env" }, readFile });
}

async function problemsOf(text: string): Promise<readonly string[]> {
  const error = await read(text).catch((thrown: unknown) => thrown);
  if (!(error instanceof SettingsError)) throw new Error(`accepted: ${text}`);
  return error.problems;
}

const FULL = `
image: example/app
tag: "2"
ports: ["8000:8000", 9000, "9000:9000/udp"]
env:
  MODE: fast
  WORKERS: 4
  DEBUG: true
  TOKEN: {from_env: TOKEN}
  OTHER: {from_file: /run/secrets/token}
docker_login: {from_file: /run/secrets/login}
onstart: |
  echo hello
recommended_disk_space: 40
`;

describe("a template file", () => {
  test("may be YAML, with its secrets fetched from files and variables", async () => {
    expect(await read(FULL)).toEqual({
      image: "example/app:2",
      ports: ["8000:8000", "9000", "9000:9000/udp"],
      env: { MODE: "fast", WORKERS: "4", DEBUG: "true", TOKEN: "sekrit-env", OTHER: "sekrit-token" },
      secretNames: ["TOKEN", "OTHER"],
      login: expect.objectContaining({ user: "user", password: "sekrit-pass", host: "registry.example" }),
      fields: { onstart: "echo hello\n", recommended_disk_space: 40 },
      secrets: ["sekrit-env", "sekrit-token", "sekrit-pass"],
    });
  });

  test("may be JSON, and leaves open what it does not name", async () => {
    expect(await read('{"image": "example/app:2"}')).toMatchObject({ ports: null, env: null, login: null, fields: {} });
  });

  test.each([
    ["", "it must hold fields"],
    ["[1]", "it must hold fields"],
    ["image: [", "neither JSON nor YAML at line 1"],
    ["image: a\nimage: b", "neither JSON nor YAML"],
    ["ports: []", "image is missing: write an image reference"],
    ["image: Example/App", "image is not as expected"],
    ["image: a:1\ntag: x", "keep one of them"],
    ["image: a\ntag: '!'", "tag is not as expected"],
    ["image: a\nimagee: b", '"imagee" is not a field: did you mean image?'],
    ["image: a\nrecomended_disk_space: 9", "did you mean recommended_disk_space?"],
    ["image: a\nzzzzzzzz: 9", "the fields are image, tag, ports"],
    ["image: a\nname: demo", "what VAST_TEMPLATE_NAME says"],
    ["image: a\nports: ['http']", "ports is not as expected"],
    ["image: a\nports: [0]", "ports is not as expected"],
    ["image: a\nports: 8000", "ports is not as expected"],
    ["image: a\nenv: {A: [1], B: x}", 'Wrong: "A".'],
    ['image: a\nenv: {A: "one\\ntwo"}', "env is not as expected"],
    ["image: a\nenv: {'A B': x}", 'Wrong: "A B".'],
    ["image: a\nenv: {A: {fromFile: /x}}", "env is not as expected"],
    ["image: a\nenv: {A: {from_file: relative}}", "env is not as expected"],
    ["image: a\nenv: {A: {from_env: ABSENT}}", "env A: the variable ABSENT is not set"],
    ["image: a\nenv: {A: {from_file: /run/secrets/absent}}", 'env A: "/run/secrets/absent": ENOENT'],
    ["image: a\nenv: {A: {from_file: /run/secrets/empty}}", "is empty"],
    ["image: a\nenv: {A: {from_file: /run/secrets/lines}}", "the value of env A cannot be in a template"],
    ["image: a\ndocker_login: {from_file: /run/secrets/token}", "docker_login cannot be read (it is not shown)"],
    ["image: a\nonstart: 1", "onstart is not as expected"],
    ["image: a\nruntype: docker", "write args, ssh or jupyter"],
    ["image: a\nargs_str: [a]", "args_str is not as expected"],
    ["image: a\nssh_direct: 'yes'", "ssh_direct is not as expected: write true or false"],
    ["image: a\nuse_ssh: 1", "use_ssh is not as expected"],
    ["image: a\njup_direct: 1", "jup_direct is not as expected"],
    ["image: a\nuse_jupyter_lab: 1", "use_jupyter_lab is not as expected"],
    ["image: a\njupyter_dir: 1", "jupyter_dir is not as expected"],
    ["image: a\nrecommended_disk_space: 7", "8 or more"],
    ["image: a\nextra_filters: []", "extra_filters is not as expected"],
    ["image: a\nprivate: 'no'", "private is not as expected"],
    ["image: a\nprivate: false\nenv: {A: {from_env: TOKEN}}", "a public template must not hold secrets"],
    ["image: a\ndesc: 1", "desc is not as expected"],
    ["image: a\nhref: 1", "href is not as expected"],
    ["image: a\nreadme: 1", "readme is not as expected"],
    ["image: a\nreadme_visible: 1", "readme_visible is not as expected"],
  ])("is refused: %j", async (text, problem) => {
    const problems = (await problemsOf(text)).join("\n");
    expect(problems).toContain(problem);
    expect(problems).toContain(`VAST_TEMPLATE_FILE "${PATH}": `);
  });

  test.each([
    "image: a\ndocker_login: -u me -p sekrit-pass registry.example",
    "image: a\ndocker_login: {user: me, password: sekrit-pass}",
    "image: a\ndocker_login_pass: sekrit-pass",
    "image: a\ndocker_login_user: sekrit-pass",
    "image: a\npassword: sekrit-pass",
    "image: a\ndocker_login: [sekrit-pass",
    "image: a\nenv: {TOKEN: {from_file: sekrit-pass}}",
    "image: a\nenv: {HF_TOKEN: sekrit-pass}",
    "image: a\nenv: {db_password: sekrit-pass}",
    "image: a\nenv: {OPENAI_API_KEY: sekrit-pass}",
    "image: a\nenv: {MODELS: 'https://me:sekrit-pass@models.example/x'}",
    "image: a\nenv: {X: hf_sekritsekritsekritsekrit}",
    "image: a\nargs_str: --port 8000 --api-key sekrit-pass",
    "image: a\nargs_str: --api-key=sekrit-pass",
    "image: a\nonstart: |\n  export HF_TOKEN='sekrit-pass'\n  serve",
    "image: a\nonstart: git clone https://me:sekrit-pass@git.example/x",
  ])("with a secret as text is refused, and the secret is not shown: %j", async (text) => {
    expect((await problemsOf(text)).join()).not.toContain("sekrit");
  });

  test.each([
    "env: {MAX_TOKENS: 4096, STOP_TOKEN: '<|end|>', TOKEN: none, OPEN_BUTTON_TOKEN: '1', SECRET: ''}",
    "env: {PASSWORD: $OTHER, DB_PASSWORD_FILE: /run/secrets/db, SIGN_KEY: abcdefgh, API_TOKEN: /run/secrets/api}",
    "onstart: 'export TOKEN=$(cat /run/token) KEY=$API_KEY && serve --token \"$TOKEN\" --password-file /run/pw'",
    "onstart: 'echo the token should be set and the password is secret'",
    "args_str: --max-num-batched-tokens 4096 --tokenizer example/app --api-key $VLLM_API_KEY",
    "readme: 'Set HF_TOKEN=your-own-token'",
    "env: {PROXY: 'http://proxy.example:3128', PLACE: 'https://$USER:$PASSWORD@models.example'}",
  ])("without one is read: %j", async (text) => {
    await expect(read(`image: a\n${text}`)).resolves.toMatchObject({ image: "a" });
  });

  test("names all of its problems at once", async () => {
    expect(await problemsOf("imag: a\ndisk: 5\nruntype: x")).toHaveLength(4);
  });

  test("that cannot be read is named with the error's code", async () => {
    const missing = readTemplateFile({
      path: PATH,
      env: {},
      readFile: () => {
        throw Object.assign(new Error("no"), { code: "ENOENT" });
      },
    });
    await expect(missing).rejects.toThrow(`VAST_TEMPLATE_FILE is "${PATH}": ENOENT`);
  });

  test("cannot blow up by aliases", async () => {
    const text = `a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nimage: *c`;
    expect((await problemsOf(text)).join()).toContain("aliases cannot be resolved");
  });
});
