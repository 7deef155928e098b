import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkFolder } from "../../../../provisioner/doctor/check-files.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";

test("a folder that can be written is found so, and nothing is left in it", async () => {
  const folder = await temporaryFolder();
  expect(await checkFolder("state", join(folder, "p.json"), "STATE_PATH")).toMatchObject({
    verdict: "ok",
    message: `${folder} is writable`,
  });
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that is missing is not made", async () => {
  const folder = await temporaryFolder();
  expect(await checkFolder("state", join(folder, "a", "b", "p.json"), "STATE_PATH")).toMatchObject({
    verdict: "ok",
    message: `${join(folder, "a", "b")} will be made in ${folder}, which is writable`,
  });
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that takes no file fails with the setting to change", async () => {
  const finding = await checkFolder("state", "/proc/none/p.json", "STATE_PATH");
  expect(finding).toMatchObject({
    verdict: "fail",
    message: expect.stringMatching(/^\/proc is not writable for UID \d+ \(E/),
  });
  expect(finding.remedy).toContain("STATE_PATH");
});
