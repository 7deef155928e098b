import { describe, expect, test } from "vitest";
import { readPlan } from "../../../../provisioner/commands/read-plan.ts";
import { readPlanSettings } from "../../../../provisioner/settings.ts";
import type { WantedTemplate } from "../../../../provisioner/template/file.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { type ClientScript, fakeBans, fakeClient, type Journal, vastError } from "../fakes.ts";
import { LABEL, MINUTE, NOW, offer, passing, row, servingTrack, state, template, tracks } from "../plan/situation.ts";
import { IMAGE_ONLY } from "../template/image-only.ts";

const SETTINGS = {
  POD_NAME: "vast-pod-0",
  VAST_API_KEY: "key",
  VAST_TEMPLATE_NAME: "demo",
  VAST_TEMPLATE_IMAGE: "example/app:2",
  VAST_SEARCH_QUERY: '{"rentable": {"eq": true}, "order": [["dph_total", "asc"]]}',
  STATE_PATH: "/own/state.json",
  UPSTREAM_PATH: "/shared/upstream.json",
};

interface Script extends ClientScript {
  files?: Record<string, string | Error>;
  env?: Record<string, string>;
  wantedTemplate?: WantedTemplate | null;
}

function reading({ files = {}, env = {}, wantedTemplate = null, ...script }: Script = {}) {
  const journal: Journal = [];
  const clock = fakeClock(NOW);
  const settings = readPlanSettings({ env: { ...SETTINGS, ...env }, flags: {}, readFile: () => "" });
  const plan = clock.drive(
    readPlan({
      settings,
      wantedTemplate,
      client: fakeClient(journal, { rows: () => [row()], offers: () => [offer()], ...script }),
      bans: fakeBans(journal),
      recordsOf: async (offers) => {
        journal.push(`records of ${offers.length}`);
        return { m4821: { boots: 2, readyMs: 60_000, failures: 1, ends: 0, servedMs: 3_600_000 } };
      },
      probe: async (endpoint) => passing(endpoint),
      clock,
      disk: {
        async read(path) {
          const content = files[path] ?? null;
          if (content instanceof Error) throw content;
          return content;
        },
      },
    }),
  );
  return { journal, plan };
}
const fails = (error: Error) => () => {
  throw error;
};

describe("what is read for a plan", () => {
  test("is the list, the template, the credit and the offers, once each", async () => {
    const { journal, plan } = reading();
    expect(await plan).toMatchObject({ known: true, wouldAct: false, creditDollars: 100, offers: { found: 1 } });
    expect(journal.toSorted()).toEqual(["credit", "list", "search", "template"]);
  });

  test("is what is known of the offers' machines, where they are ordered by expected cost", async () => {
    const { journal, plan } = reading({
      env: { VAST_SEARCH_ORDER: "expected_cost", VAST_SEARCH_QUERY: "{}", VAST_MAX_DPH: "0.5" },
    });
    const { offers } = await plan;
    expect(offers).toMatchObject({ order: "expected_cost", best: [{ dollarsPerHour: 0.3164 }] });
    expect(offers?.best[0]?.ranking?.why).toContain("here: 2 of 3 starts came up");
    expect(journal).toContain("records of 1");
  });

  test("is a second search where the first one does not show which offer is taken", async () => {
    const { journal, plan } = reading({ env: { VAST_SEARCH_QUERY: '{"rentable": {"eq": true}}' } });
    await plan;
    expect(journal.filter((entry) => entry === "search")).toHaveLength(2);
  });

  test("includes the state file of the provisioner and what it has published", async () => {
    const creates = [NOW - MINUTE];
    const stored = JSON.stringify(state({ tracks: tracks(row().id, servingTrack()), creates }));
    const { plan } = reading({ files: { "/own/state.json": stored } });
    expect(await plan).toMatchObject({ budget: { createsLeft: 5 }, notes: [] });
  });

  test("goes on without a state file, and says so", async () => {
    const missing = await reading().plan;
    expect(missing.budget).toBeNull();
    expect(missing.notes).toEqual([
      expect.stringMatching(/^The state file \/own\/state.json does not exist here: .* container/),
    ]);
    const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
    const files = { "/own/state.json": denied, "/shared/upstream.json": denied };
    expect((await reading({ files }).plan).notes[0]).toMatch(/cannot be read \(EACCES: permission denied\)/);
    const foreign = JSON.stringify(state({ label: "k8s_pod=other" }));
    const notes = (await reading({ files: { "/own/state.json": foreign } }).plan).notes;
    expect(notes[0]).toMatch(/cannot be used \(it belongs to the label k8s_pod=other/);
  });

  test("is no plan when the list cannot be read, and offers are not searched for then", async () => {
    const { journal, plan } = reading({ rows: fails(vastError("unavailable")) });
    const document = await plan;
    expect(document).toMatchObject({ known: false, wouldAct: false, offers: null, label: LABEL });
    expect(document.notes[0]).toMatch(/^The instance list is unknown/);
    expect(journal).not.toContain("search");
  });

  test("shows what else cannot be read as unknown, and stands", async () => {
    const { plan } = reading({
      credit: fails(vastError("auth")),
      offers: fails(vastError("unavailable")),
    });
    const document = await plan;
    expect(document).toMatchObject({ known: true, creditDollars: null, offers: null, reason: "instance_ready" });
    expect(document.notes.join("\n")).toMatch(/The offers are unknown[\s\S]*The credit is unknown/);
  });

  test("searches for no offer without the template", async () => {
    const { journal, plan } = reading({ template: fails(vastError("unavailable")) });
    expect((await plan).notes.join("\n")).toMatch(/Offers cannot be searched for without the template/);
    expect(journal).not.toContain("search");
  });

  test("is what VAST_TEMPLATE_FILE changes in the account, by field", async () => {
    const wantedTemplate = { ...IMAGE_ONLY, image: "example/app:9", env: { MODE: "fast" } };
    const shown = { template: { ...template, id: 1 }, row: { image: "example/app:2", tag: "", env: "-e MODE=fast" } };
    const { journal, plan } = reading({ wantedTemplate, templates: () => [shown] });
    const [step] = (await plan).steps;
    expect(step).toMatchObject({ kind: "write_template", suppressed: false });
    expect(step?.text).toBe(
      'edit the template "demo" as VAST_TEMPLATE_FILE says (image), so that its instances are out of date',
    );
    expect(journal.filter((entry) => entry === "templates")).toHaveLength(1);
    const absent = await reading({ wantedTemplate, template: () => null }).plan;
    expect(absent.steps.map(({ text }) => text)).toEqual(['create the template "demo" as VAST_TEMPLATE_FILE says']);
    const silent = await reading({ wantedTemplate, templates: fails(vastError("unavailable")) }).plan;
    expect(silent).toMatchObject({ known: true, wouldAct: false, steps: [] });
    expect(silent.notes.join("\n")).toMatch(/^What VAST_TEMPLATE_FILE changes is unknown \(/m);
  });

  test("writes nothing to the ban store, also where a pass would", async () => {
    const { journal, plan } = reading({ rows: () => [row({ actualStatus: "loading", ports: null, address: "" })] });
    expect((await plan).wouldAct).toBe(false);
    expect(journal.filter((entry) => /waiting|ban|count|create|destroy|save/.test(entry))).toEqual([]);
  });
});
