// What version 0.1.0 wrote must not be lost: ids of instances that are being destroyed, the create under way, the budget.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseMirror } from "../../../../provisioner/lease/mirror.ts";
import { emptyState } from "../../../../provisioner/state/schema.ts";
import { fromSchema1 } from "../../../../provisioner/state/schema-1.ts";
import { createStateFile } from "../../../../provisioner/state/state-file.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";
import { LABEL } from "../plan/situation.ts";

const written = (name: string) => readFile(join(import.meta.dirname, "written-by-0.1.0", name), "utf8");
const AT = 1_764_000_000_000;
const PENDING_DELETES = [
  { id: 7835608, reason: "image_changed", since: AT - 60_000, deleteSentAt: AT - 59_000 },
  { id: 7835609, reason: "create_failed", since: AT - 30_000, deleteSentAt: AT - 29_000, deleteConfirmed: true },
  { id: 7835607, reason: "start_timeout", since: AT - 90_000, deleteSentAt: null },
];

describe("a state file of version 0.1.0", () => {
  test("is read with everything in it, and written in the new form", async () => {
    const path = join(await temporaryFolder(), "provisioner.json");
    const old = await written("state.json");
    await writeFile(path, old);
    const file = createStateFile(path, () => AT);
    const { state, aside } = await file.load(LABEL);
    expect(aside).toBeUndefined();
    if (state === null) throw new Error("nothing was read");
    const { doomed: _, deafApps, schema: __, ...same } = JSON.parse(old);
    expect(state).toMatchObject({
      ...emptyState(LABEL),
      ...same,
      schema: 2,
      pendingDeletes: PENDING_DELETES,
      notListening: deafApps,
    });
    await file.save(state);
    const now = await readFile(path, "utf8");
    expect(JSON.parse(now)).toEqual(state);
    expect(now).not.toMatch(/doomed|askedAt|answered|deafApps/);
    expect(await createStateFile(path, () => AT).load(LABEL)).toEqual({ state });
  });

  test("that is damaged is set aside as before", async () => {
    const path = join(await temporaryFolder(), "provisioner.json");
    await writeFile(path, (await written("state.json")).replace('"askedAt":1763999941000', '"askedAt":"soon"'));
    expect(await createStateFile(path, () => AT).load(LABEL)).toMatchObject({
      state: null,
      aside: { why: expect.stringContaining("pendingDeletes.0.deleteSentAt") },
    });
  });
});

test("a copy in Redis of version 0.1.0 is taken over with all that its provisioner had begun", async () => {
  expect(parseMirror(await written("mirror.json"), LABEL)).toMatchObject({
    mirror: { schema: 2, pendingDeletes: PENDING_DELETES, intent: { contract: 7835611 }, creates: [AT - 600_000, AT] },
  });
});

test.each([null, 5, "x", [], {}, { schema: 2, doomed: [] }, { schema: 1, doomed: 7 }])(
  "what is no JSON of version 0.1.0 stays as it is: %j",
  (json) => {
    expect(fromSchema1(json)).toBe(json);
  },
);
