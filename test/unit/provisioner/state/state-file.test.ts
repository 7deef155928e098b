import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemDisk } from "../../../../common/disk.ts";
import { createStateFile } from "../../../../provisioner/state/state-file.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";
import { LABEL, NOW, servingTrack, state } from "../plan/situation.ts";

async function stateFile() {
  const folder = join(await temporaryFolder(), "state");
  const path = join(folder, "provisioner.json");
  return { folder, path, file: createStateFile(path, () => NOW) };
}
const full = state({
  generation: 12,
  tracks: { 5: servingTrack() },
  intent: { offerId: 1, hostId: null, machineId: 3, dollarsPerHour: 0.3, label: LABEL, startedAt: NOW, contract: null },
  pendingDeletes: [{ id: 7, reason: "duplicate", since: NOW, deleteSentAt: null }],
  creates: [NOW],
});

describe("the state file", () => {
  test("gives back after a restart what was saved", async () => {
    const { path, file } = await stateFile();
    await file.load(LABEL);
    await file.save(full);
    expect(await createStateFile(path, () => NOW).load(LABEL)).toEqual({ state: full });
  });

  test("has the newest history and the newest state, whichever of them has changed", async () => {
    const { path, file } = await stateFile();
    const transition = { at: NOW, state: "ready", reason: "instance_ready", message: '{"}', instanceId: 5 };
    const later = { ...transition, at: NOW + 1, reason: "list_unknown" };
    await file.load(LABEL);
    for (const history of [[], [transition], [transition, later], [transition]]) {
      for (const generation of [1, 2]) {
        const saved = { ...full, generation, history };
        await file.save(saved);
        expect(JSON.parse(await readFile(path, "utf8"))).toEqual(saved);
      }
    }
  });

  test("may be of an older version, which knew less", async () => {
    const { path, file } = await stateFile();
    await file.load(LABEL);
    const since = new Set(["leaseToken", "brokenImages", "noMapSince", "passesMissing"]);
    const older = JSON.stringify(full, (name, value) => (since.has(name) ? undefined : value));
    await writeFile(path, older);
    expect(older).not.toContain("leaseToken");
    expect(await file.load(LABEL)).toEqual({ state: full });
  });

  test("may be of a newer version: what this one does not know is left out", async () => {
    const { path, file } = await stateFile();
    await file.load(LABEL);
    await writeFile(path, JSON.stringify({ ...full, fleet: { pods: 3 } }));
    expect(await file.load(LABEL)).toEqual({ state: full });
  });

  test("is for the provisioner's own user alone", async () => {
    const { path, file } = await stateFile();
    await file.load(LABEL);
    await file.save(full);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("may be missing, with its folder", async () => {
    expect(await (await stateFile()).file.load(LABEL)).toEqual({ state: null });
  });

  test.each([
    ["{", /not JSON/],
    ["{}", /schema/],
    [JSON.stringify({ ...full, schema: 3 }), /schema/],
    [JSON.stringify({ ...full, pendingDeletes: [{ id: "x" }] }), /pendingDeletes/],
    [
      JSON.stringify({ ...full, tracks: { 5: { ...servingTrack(), endpoint: { host: "a; }", port: 1 } } } }),
      /endpoint/,
    ],
  ])("is set aside when it is unusable, with the reason: %.40s", async (text, why) => {
    const { folder, path, file } = await stateFile();
    await file.load(LABEL);
    await writeFile(path, text);
    const loaded = await file.load(LABEL);
    expect(loaded).toMatchObject({ state: null, aside: { path: `${path}.unusable-${NOW}` } });
    expect(loaded.aside?.why).toMatch(why);
    expect(await readFile(`${path}.unusable-${NOW}`, "utf8")).toBe(text);
    expect(await readdir(folder)).toEqual([`provisioner.json.unusable-${NOW}`]);
  });

  test("is set aside when it belongs to another label: its ids are not ours", async () => {
    const { path, file } = await stateFile();
    await file.load(LABEL);
    await file.save(full);
    const loaded = await createStateFile(path, () => NOW).load("k8s_pod=vast-pod-1");
    expect(loaded.state).toBeNull();
    expect(loaded.aside?.why).toContain(`${LABEL}: an instance that still has that label is still being billed`);
  });

  test("loses what a killed writer left behind, and nothing else", async () => {
    const { folder, file } = await stateFile();
    await file.load(LABEL);
    await file.save(full);
    await writeFile(join(folder, ".provisioner.json.0011.tmp"), "half");
    expect((await file.load(LABEL)).state).toEqual(full);
    expect(await readdir(folder)).toEqual(["provisioner.json"]);
  });

  test("is unreadable with an error, never with an empty state", async () => {
    const { path } = await stateFile();
    const read = () => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
    await expect(createStateFile(path, () => NOW, { ...systemDisk, read }).load(LABEL)).rejects.toThrow(/EIO/);
  });

  const things: [string, (path: string) => Promise<unknown>][] = [
    ["a named pipe", async (path) => execFileSync("mkfifo", [path])],
    ["a folder with files", (path) => mkdir(join(path, "inside"), { recursive: true })],
    ["a sparse file of 3 GB", (path) => writeFile(path, "").then(() => truncate(path, 3e9))],
    ["a link to a device", (path) => symlink("/dev/zero", path)],
  ];
  test.each(things)("in whose place something else lies starts anew, and that is set aside: %s", async (_, put) => {
    const { folder, path, file } = await stateFile();
    await mkdir(folder);
    await put(path);
    const aside = `${path}.unusable-${NOW}`;
    expect(await file.load(LABEL)).toEqual({ state: null, aside: { path: aside, why: expect.stringMatching(/^it /) } });
    expect(await readdir(folder)).toEqual([`provisioner.json.unusable-${NOW}`]);
    await file.save(full);
    expect(await file.load(LABEL)).toEqual({ state: full });
  });
});
