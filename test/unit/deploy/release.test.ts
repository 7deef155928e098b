// A release: the version stands in one place and follows into the others, the changelog has its section, the tag fits.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../../common/version.ts";
import { VERSION_PLACES, withRelease, withVersion } from "../../../deploy/set-version.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const run = promisify(execFile);

describe.each(VERSION_PLACES)("$file", ({ file, pattern }) => {
  test("names package.json's version", async () => {
    const found = [...(await readFile(join(root, file), "utf8")).matchAll(pattern)].map(([, , version]) => version);
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found)).toEqual(new Set([VERSION]));
  });

  test("names the next one after `npm version`", async () => {
    const text = await readFile(join(root, file), "utf8");
    const changed = withVersion(text, pattern, "12.3.4-rc.1");
    expect([...changed.matchAll(pattern)].map(([, , version]) => version)).not.toContain(VERSION);
    expect(changed.replaceAll("12.3.4-rc.1", VERSION)).toBe(text);
  });
});

test("what is unreleased becomes the section of the version", () => {
  const changelog = "# Changelog\n\n## Unreleased\n\n- new\n\n## 0.1.0 (2026-11-23)\n\n- old\n";
  const expected = "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-12-24)\n\n- new\n\n## 0.1.0 (2026-11-23)\n\n- old\n";
  expect(withRelease(changelog, "0.2.0", "2026-12-24")).toBe(expected);
});

describe("the check of a tag", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "vast-pod-release-"));
    await cp(join(root, ".github"), join(folder, ".github"), { recursive: true });
    await cp(join(root, "package.json"), join(folder, "package.json"));
    const changelog = `# Changelog\n\n## Unreleased\n\n## ${VERSION} (2026-11-23)\n\n- one\n\n### More\n\n- two\n\n## 0.0.9\n\n- old\n`;
    await writeFile(join(folder, "CHANGELOG.md"), changelog);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const script = (name: string, args: string[], env: Record<string, string> = {}) =>
    run("sh", [join(folder, ".github", name), ...args], { env: { PATH: process.env.PATH ?? "", ...env } });
  const refusal = async (tag: string, env: Record<string, string>) => {
    const failure = await script("check-release.sh", [tag], env).then(
      () => null,
      (error: { stderr: string }) => error.stderr,
    );
    return failure ?? "none";
  };
  const IMAGES = "registry.example.com/owner/vast-pod";

  test("gives the version and the registry", async () => {
    const { stdout } = await script("check-release.sh", [`v${VERSION}`], { IMAGES });
    expect(stdout).toBe(`version=${VERSION}\nregistry=registry.example.com\n`);
  });

  test("refuses a tag that is not package.json's version", async () => {
    expect(await refusal("v9.9.9", { IMAGES })).toContain("make the tag with `npm version`");
  });

  test("refuses to release to nowhere", async () => {
    expect(await refusal(`v${VERSION}`, {})).toContain("set the repository variable IMAGES");
    expect(await refusal(`v${VERSION}`, { IMAGES: "vast-pod" })).toContain("<registry>/<owner>/vast-pod");
    expect(await refusal(`v${VERSION}`, { IMAGES: "some/owner/vast-pod" })).toContain("<registry>/<owner>/vast-pod");
  });

  test.each([
    "ghcr.io/Owner/vast-pod",
    "https://ghcr.io/owner/vast-pod",
    "ghcr.io/owner/vast-pod/",
    "ghcr.io/owner/vast-pod:",
    "ghcr.io/an owner/vast-pod",
  ])("refuses images that no registry takes before it builds them: %s", async (images) => {
    expect(await refusal(`v${VERSION}`, { IMAGES: images })).toContain("without https:// and in small letters");
  });

  test.each(["localhost/owner/vast-pod", "registry.example:5000/owner/group/vast-pod"])("takes %s", async (images) => {
    const { stdout } = await script("check-release.sh", [`v${VERSION}`], { IMAGES: images });
    expect(stdout).toContain(`registry=${images.split("/")[0]}\n`);
  });

  test("prints the version's section as the release's notes", async () => {
    const { stdout } = await script("release-notes.sh", [VERSION]);
    expect(stdout).toBe("- one\n\n### More\n\n- two\n");
  });

  test("refuses a version of which the changelog says nothing", async () => {
    await expect(script("release-notes.sh", ["0.1"])).rejects.toThrow('add a section "## 0.1" before the tag');
  });
});

test("the changelog of this version has notes", async () => {
  const { stdout } = await run("sh", [join(root, ".github", "release-notes.sh"), VERSION]);
  expect(stdout.trim().length).toBeGreaterThan(40);
});

test("an image is checked by the repository that signed it, because a workflow of the same name can be anywhere", async () => {
  const text = await readFile(join(root, ".github", "SECURITY.md"), "utf8");
  const [, identity = ""] = /--certificate-identity-regexp '([^']+)'/.exec(text) ?? [];
  const pattern = new RegExp(identity.replace("<owner>", "me").replace("<repository>", "pods"));
  const signer = (repository: string) => `https://github.com/${repository}/.github/workflows/release.yml@refs/tags/v1`;
  expect(
    [signer("me/pods"), signer("you/pods"), `${signer("you/x")}/${signer("me/pods")}`].map((one) => pattern.test(one)),
  ).toEqual([true, false, false]);
});

test("the release packs files that exist", async () => {
  const text = await readFile(join(root, ".github", "workflows", "release.yml"), "utf8");
  const [, files = ""] = /tar -czf "\S+" (.*)/.exec(text) ?? [];
  const named = files.split(" ").filter((one) => one !== "dist");
  expect(named.length).toBeGreaterThan(3);
  for (const one of named) expect(existsSync(join(root, one)), one).toBe(true);
});

test("Renovate reads the base images out of the files that name them", async () => {
  const config = JSON.parse(await readFile(join(root, ".github", "renovate.json"), "utf8")) as {
    customManagers: { matchStrings: string[] }[];
  };
  const [pattern = ""] = config.customManagers.flatMap(({ matchStrings }) => matchStrings);
  const images = async (file: string) =>
    [...(await readFile(join(root, file), "utf8")).matchAll(new RegExp(pattern, "g"))].map(
      ({ groups }) => groups?.depName,
    );
  expect(await images("docker-compose.yml")).toEqual(["nginx", "nginx", "redis"]);
  expect(await images("deploy/Dockerfile")).toEqual(["node"]);
});
