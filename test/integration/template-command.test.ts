// The command `template` against the emulator: it shows, writes and prints a template, and none of its secrets.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { shortHash } from "../../provisioner/fleet/keys.ts";
import { COMMAND_SCALE, openPod } from "./pod.ts";

const SECRETS = { token: "sekrit-token-5Tq", login: "sekrit-login-8Rw" };

test("a template is compared with its file, written once, and printed as a file again, without its secrets", async () => {
  const pod = await openPod({ timeScale: COMMAND_SCALE });
  const path = join(pod.sandbox.folder, "template.yaml");
  const printed: string[] = [];
  const settings = {
    VAST_TEMPLATE_NAME: "own",
    VAST_TEMPLATE_FILE: path,
    APP_TOKEN: SECRETS.token,
    LOGIN: `-u me -p ${SECRETS.login} r.example`,
  };
  const run = async (...args: string[]) => {
    const child = await pod.provision(settings, ["template", ...args]);
    const { code } = await child.exited;
    printed.push(...child.lines);
    return { code, text: child.lines.join("\n"), lines: child.lines };
  };
  const file = (workers: number) =>
    writeFile(
      path,
      `image: example/app:2\nports: ["8000:8000"]\nenv:\n  WORKERS: ${workers}\n  TOKEN: {from_env: APP_TOKEN}\ndocker_login: {from_env: LOGIN}\nrecommended_disk_space: 20\n`,
    );
  try {
    await writeFile(path, "imagee: example/app:2\n");
    expect(await run("diff")).toMatchObject({ code: 2, text: expect.stringContaining("did you mean image?") });
    await file(4);
    expect(await run("diff", "--exit-code")).toMatchObject({
      code: 3,
      text: expect.stringContaining("would be created"),
    });
    const fieldsOfFile = (await run("diff", "-o", "name")).lines;
    expect(fieldsOfFile).toEqual(expect.arrayContaining(["env TOKEN", "env WORKERS", "recommended_disk_space"]));
    expect(await run("apply")).toMatchObject({ code: 1, text: expect.stringContaining("add --yes") });
    expect(await run("apply", "--yes")).toMatchObject({ code: 0, text: expect.stringContaining("It was created") });
    expect(await run("diff", "--exit-code")).toMatchObject({
      code: 0,
      text: expect.stringContaining("as the file says"),
    });

    await file(5);
    const differing = await run("diff", "--exit-code", "-o", "json");
    expect(differing.code).toBe(3);
    expect(JSON.parse(differing.lines.join(""))).toMatchObject({
      schema: 1,
      name: "own",
      differences: [{ field: "env WORKERS", wanted: "5", reported: "4" }],
    });
    expect((await run("diff", "-o", "name")).text).toBe("env WORKERS");
    const plan = await pod.provision({ ...settings, STATE_PATH: `${path}.none` }, ["plan", "--exit-code"]);
    expect(await plan.exited).toMatchObject({ code: 3 });
    expect(plan.lines.join("\n")).toContain('1. edit the template "own" as VAST_TEMPLATE_FILE says (env WORKERS)');
    expect(await run("apply", "--yes")).toMatchObject({ code: 0, text: expect.stringContaining("It was edited") });

    const exported = await run("export", "-o", "json");
    expect(JSON.parse(exported.lines[0] ?? "")).toMatchObject({
      image: "example/app:2",
      ports: ["8000:8000"],
      env: { WORKERS: "5", TOKEN: { from_env: "TOKEN" } },
      recommended_disk_space: 20,
    });
    expect((await run("export")).text).toContain("WORKERS:");

    const writes = (await pod.emulator.mutations()).filter(({ path: to }) => to.endsWith("/template/"));
    expect(writes.map(({ method, status }) => [method, status])).toEqual([
      ["POST", 200],
      ["PUT", 200],
    ]);
    await pod.emulator.send("POST", "faults", {
      method: "PUT",
      path: "/template/",
      effect: { status: 400, body: { msg: `you sent ${SECRETS.login} and ${SECRETS.token}` } },
    });
    await file(6);
    expect(await run("apply", "--yes")).toMatchObject({ code: 1, text: expect.stringContaining("[secret]") });
    await pod.emulator.send("POST", "faults", {
      path: "/users/current/",
      effect: { status: 404, body: { success: false, error: "auth_error", msg: "Invalid user key" } },
    });
    expect(await run("diff")).toMatchObject({ code: 1, text: expect.stringContaining("set a valid key") });

    for (const secret of Object.values(SECRETS)) expect(printed.join("\n")).not.toContain(secret);
  } finally {
    await pod.close();
  }
});

test("while another program has the turn nothing is written, and the pods read an edited template again", async () => {
  const pod = await openPod({ redis: true, timeScale: COMMAND_SCALE });
  const redis = new Redis(pod.redis?.url ?? "");
  const path = join(pod.sandbox.folder, "template.yaml");
  const [lock, reading] = [pod.keys.templateLock(shortHash("own")), pod.keys.template(shortHash("own"))];
  const apply = async () => {
    const more = { VAST_TEMPLATE_NAME: "own", VAST_TEMPLATE_FILE: path };
    const child = await pod.provision(more, ["template", "apply", "--yes"]);
    return { code: (await child.exited).code, text: child.lines.join("\n") };
  };
  try {
    await writeFile(path, "image: example/app:2\n");
    await redis.set(lock, "another");
    await redis.hset(reading, "readAt", "1", "value", "null");
    expect(await apply()).toMatchObject({ code: 1, text: expect.stringContaining("another program is writing") });
    expect([await redis.get(lock), await redis.exists(reading)]).toEqual(["another", 1]);
    expect(await pod.emulator.mutations()).toEqual([]);

    await redis.del(lock);
    expect(await apply()).toMatchObject({ code: 0, text: expect.stringContaining("It was created") });
    expect([await redis.exists(lock), await redis.exists(reading)]).toEqual([0, 0]);
  } finally {
    redis.disconnect();
    await pod.close();
  }
});

test("a name whose content the account has under another name is not said to be created", async () => {
  const pod = await openPod({ timeScale: COMMAND_SCALE });
  const path = join(pod.sandbox.folder, "template.yaml");
  try {
    await writeFile(path, "image: example/app:2\n");
    const [demo] = (await pod.emulator.state()).templates;
    const answers = [
      { success: false, msg: `Existing Template Found: ${demo?.id}` },
      { success: true, template: { ...demo, name: "other" } },
    ];
    for (const body of answers) {
      await pod.emulator.send("POST", "faults", { method: "POST", path: "/template/", effect: { status: 200, body } });
      const env = { VAST_TEMPLATE_NAME: "own", VAST_TEMPLATE_FILE: path };
      const child = await pod.provision(env, ["template", "apply", "--yes"]);
      const { code } = await child.exited;
      expect(code).toBe(1);
      expect(child.lines.at(-1)).toContain(String(demo?.id));
      expect(child.lines.at(-1)).toContain("No template of the name was created: name that one in VAST_TEMPLATE_NAME");
    }
  } finally {
    await pod.close();
  }
});
