import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readIfExists, writeAtomic } from "../../../../common/atomic-file.ts";
import { SettingsError } from "../../../../common/settings.ts";
import type { Header } from "../../../../common/variable-parsers.ts";
import { AuthFile } from "../../../../reloader/inputs/auth-header.ts";
import { renderConfig } from "../../../../reloader/render/render.ts";
import { NO_RENDER_INPUTS } from "../../../../reloader/render/view.ts";
import { all, directives } from "../../../fakes/nginx-directives.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";
import { PROXY, server } from "../samples.ts";

const SECRET = "Bearer hunter22";

async function setUp() {
  const folder = await temporaryFolder();
  const configPath = join(folder, "default.conf");
  const disk = {
    read: readIfExists,
    write: writeAtomic,
    list: (path: string) => readdir(path),
    remove: (path: string) => rm(path),
    chmod: (path: string, mode: number) => chmod(path, mode),
  };
  const secrets: { header: Header | null | Error } = { header: { name: "Authorization", value: SECRET } };
  const read = () => {
    if (secrets.header instanceof Error) throw secrets.header;
    return secrets.header;
  };
  const open = () => new AuthFile(configPath, disk, read);
  const files = async () => (await readdir(folder)).filter((name) => name.includes(".auth."));
  return { folder, configPath, secrets, open, files, auth: open() };
}
const pathIn = async (auth: AuthFile) => (await auth.refresh()).auth?.path ?? "";

describe("the secret header's file", () => {
  test("can be read by its owner only, and is not matched by `include *.conf`", async () => {
    const { configPath, auth } = await setUp();
    const before = process.umask(0);
    const path = await pathIn(auth).finally(() => process.umask(before));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(path).toMatch(/\/default\.conf\.auth\.[0-9a-f]{16}$/);
    expect(path.startsWith(configPath)).toBe(true);
  });

  test("is made private again when a copy of the volume or a person made it readable", async () => {
    const { open, auth } = await setUp();
    const path = await pathIn(auth);
    for (const again of [auth, open()]) {
      await chmod(path, 0o644);
      expect(await pathIn(again)).toBe(path);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
  });

  test.each(['say "hi"', "back\\slash\\", "a$b$host $ {x}", "} server { listen 1; #", "'", "a;b"])(
    "gives nginx the exact value: %s",
    async (value) => {
      const { secrets, auth } = await setUp();
      secrets.header = { name: "X-Key", value };
      const text = await readFile(await pathIn(auth), "utf8");
      expect(directives(text)).toEqual([
        { words: ["geo", "$vast_pod_auth"], block: [{ words: ["default", value], block: null }] },
      ]);
    },
  );

  test("keeps its name while the secret is the same, also after a restart", async () => {
    const { open, auth, files } = await setUp();
    const path = await pathIn(auth);
    expect(await pathIn(auth)).toBe(path);
    expect(await pathIn(open())).toBe(path);
    expect(await files()).toHaveLength(1);
  });

  test("has a random name: two programs with the same secret have different names", async () => {
    const [one, other] = [await setUp(), await setUp()];
    expect((await pathIn(one.auth)).slice(one.folder.length)).not.toBe(
      (await pathIn(other.auth)).slice(other.folder.length),
    );
  });

  test("is written again when somebody removed it", async () => {
    const { auth } = await setUp();
    const path = await pathIn(auth);
    await rm(path);
    expect(await pathIn(auth)).toBe(path);
    expect(await readFile(path, "utf8")).toContain(SECRET);
  });

  test("of an earlier secret stays until a config that does not need it is proven", async () => {
    const { secrets, auth } = await setUp();
    const former = await pathIn(auth);
    secrets.header = { name: "Authorization", value: "Bearer rotated" };
    const path = await pathIn(auth);
    expect(path).not.toBe(former);
    expect(await auth.removeStale(`include "${former}";`)).toBeNull();
    expect(await readIfExists(former)).not.toBeNull();
    expect(await auth.removeStale(`include "${path}";`)).toBeNull();
    expect(await readIfExists(former)).toBeNull();
    expect(await readIfExists(path)).not.toBeNull();
    expect(auth.values()).toEqual([SECRET, "Bearer rotated"]);
  });

  test("is removed after the setting was removed and a config without it is proven", async () => {
    const { secrets, auth, files } = await setUp();
    await auth.refresh();
    secrets.header = null;
    expect(await auth.refresh()).toEqual({ auth: null, usable: true, problem: null });
    await auth.removeStale("");
    expect(await files()).toEqual([]);
  });

  test("does not change while the secret cannot be read, and the problem does not show the value", async () => {
    const { secrets, auth } = await setUp();
    const path = await pathIn(auth);
    secrets.header = new SettingsError(['UPSTREAM_AUTH_HEADER_FILE is "/run/key": ENOENT.']);
    const found = await auth.refresh();
    expect(found).toEqual({
      auth: { name: "Authorization", path },
      usable: true,
      problem: 'UPSTREAM_AUTH_HEADER_FILE is "/run/key": ENOENT.',
    });
  });

  test("that cannot be written makes the inputs unusable, and the problem is reported", async () => {
    const { folder, auth } = await setUp();
    await rm(folder, { recursive: true });
    await writeFile(folder, "no folder");
    expect(await auth.refresh()).toMatchObject({
      auth: null,
      usable: false,
      problem: expect.stringMatching(/ENOTDIR/),
    });
    await rm(folder);
    await mkdir(folder);
    expect(await auth.refresh()).toMatchObject({ usable: true, problem: null });
  });

  test("is not written by a command that changes nothing", async () => {
    const { auth, files, open } = await setUp();
    expect((await auth.peek()).auth?.path).toMatch(/\.auth\.unwritten$/);
    expect(await files()).toEqual([]);
    const path = await pathIn(auth);
    expect((await open().peek()).auth?.path).toBe(path);
  });
});

test("a config has the names of the file and the header, but not the value", async () => {
  const { auth } = await setUp();
  const found = { ...NO_RENDER_INPUTS, auth: (await auth.refresh()).auth };
  const { text } = renderConfig({ server: server(), address: "203.0.113.9" }, PROXY, found);
  expect(all(directives(text), "include")).toEqual([["include", found.auth?.path]]);
  expect(all(directives(text), "proxy_set_header")).toContainEqual([
    "proxy_set_header",
    "Authorization",
    "$vast_pod_auth",
  ]);
  expect(text).not.toContain("hunter22");
  expect(renderConfig(null, PROXY, found).text).not.toContain("vast_pod_auth");
});
