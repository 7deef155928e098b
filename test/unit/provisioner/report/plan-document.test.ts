import { describe, expect, test } from "vitest";
import type { UpdatePrecheck, UpdateStrategy } from "../../../../provisioner/model/desired.ts";
import { known, type Seen } from "../../../../provisioner/model/observation.ts";
import { decideForPlan } from "../../../../provisioner/report/plan-decision.ts";
import {
  type PlanContext,
  type PlanDocument,
  planDocument,
  stepsTaken,
} from "../../../../provisioner/report/plan-document.ts";
import { planOffers } from "../../../../provisioner/report/plan-offers.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Instance, Offer } from "../../../../provisioner/vast/rows.ts";
import {
  desired,
  HOUR,
  limits,
  MINUTE,
  NOW,
  nothingPublished,
  observation,
  offer,
  passing,
  published,
  query,
  row,
  servingTrack,
  startingRow,
  state,
  template,
  tracks,
  unknown,
  waitingTrack,
} from "../plan/situation.ts";

interface Situation extends Partial<Omit<PlanContext, "offers" | "desired" | "limits">> {
  rows?: readonly Instance[];
  found?: readonly Offer[];
  image?: string;
  maxCreatesPerHour?: number;
  bansEnabled?: boolean;
  updateStrategy?: UpdateStrategy;
  updatePrecheck?: UpdatePrecheck;
}
const serving: State["tracks"] = tracks(row().id, servingTrack());
const cheap = offer({ id: 25009214, machineId: 1, dollarsPerHour: 0.221 });
const other = offer({ id: 25034859, machineId: 2, dollarsPerHour: 0.229 });

function planOf(situation: Situation = {}): PlanDocument {
  const { rows = [row()], found = [cheap, other], image = desired.image, maxCreatesPerHour = 6 } = situation;
  const probes = new Map(rows.map(({ id }) => [id, passing()]));
  const context: Omit<PlanContext, "offers"> = {
    pod: "vast-pod-0",
    desired: { ...desired, image, revision: `demo ${image}` },
    limits: {
      ...limits,
      maxCreatesPerHour,
      bansEnabled: situation.bansEnabled ?? true,
      updateStrategy: situation.updateStrategy ?? "recreate",
      updatePrecheck: situation.updatePrecheck ?? "offer",
    },
    policy: "sync",
    templateChange: known(null),
    firstCreateWaitMs: 10_000,
    drainMs: 10_000,
    seen: observation(rows, { probes }),
    stored: state({ tracks: serving }),
    stateProblem: null,
    warnings: [],
    published: published(),
    credit: known(88.2),
    now: NOW,
    ...situation,
  };
  const plan = decideForPlan(context);
  const needs = plan.needs ?? { diskGb: 32, directPorts: 2, maxDollarsPerHour: undefined, bans: [] };
  const offers = planOffers(found, null, query({}, { order: [["dph_total", "asc"]] }), needs, plan.state);
  return planDocument({ ...context, offers: { known: true, value: offers } }, plan);
}
const kinds = ({ steps }: PlanDocument) => steps.map(({ kind }) => kind);
const texts = ({ steps }: PlanDocument) => steps.map(({ text }) => text);

describe("a plan", () => {
  test("changes nothing while the instance serves what is wanted", () => {
    const plan = planOf();
    expect(plan).toMatchObject({ known: true, wouldAct: false, steps: [], reason: "instance_ready" });
    expect(plan.image).toEqual({ wanted: "example/app:2", is: "example/app:2", match: "same" });
    expect(plan.instance).toMatchObject({ id: row().id, serving: true, probe: { ok: true, host: "203.0.113.9" } });
  });

  test("of another image withdraws, destroys and creates, and shows the difference", () => {
    const plan = planOf({ image: "example/app:3" });
    expect(plan).toMatchObject({ wouldAct: true, reason: "image_changed", obstacle: null });
    expect(plan.image).toEqual({ wanted: "example/app:3", is: "example/app:2", match: "different" });
    expect(texts(plan)).toEqual([
      "withdraw it from nginx, 10 s to drain",
      `destroy ${row().id} (image_changed)`,
      "create from offer 25009214",
    ]);
    expect(plan.steps.at(-1)?.offerId).toBe(25009214);
  });

  test("of another image in place withdraws and updates, and needs no offer", () => {
    const plan = planOf({ image: "example/app:3", updateStrategy: "in-place", found: [] });
    expect(plan).toMatchObject({ wouldAct: true, reason: "image_changed", obstacle: null });
    expect(texts(plan)).toEqual([
      "withdraw it from nginx, 10 s to drain",
      `update ${row().id} in place (image_changed), and wait until the list shows it`,
    ]);
    expect(plan.steps.at(-1)).toMatchObject({ kind: "update", instanceId: row().id });
  });

  test("keeps what serves where no other instance can be created", () => {
    const none = planOf({ image: "example/app:3", found: [] });
    expect(none).toMatchObject({ wouldAct: false, obstacle: expect.stringContaining("it serves on") });
    const poor = planOf({ image: "example/app:3", credit: known(-0.1) });
    expect(poor).toMatchObject({ wouldAct: false, obstacle: expect.stringContaining("no credit") });
  });

  test("destroys what serves without an offer where VAST_UPDATE_PRECHECK=none wants that", () => {
    const plan = planOf({ image: "example/app:3", found: [], updatePrecheck: "none" });
    expect(plan).toMatchObject({ wouldAct: true, obstacle: null });
    expect(texts(plan).at(-1)).toMatch(/as soon as there is an offer/);
  });

  test("creates one where there is none, and waits for a second empty list where the first proves nothing", () => {
    const sure = planOf({ rows: [], stored: state(), published: nothingPublished });
    expect(sure).toMatchObject({ wouldAct: true, reason: "no_instance", instance: null });
    expect(kinds(sure)).toEqual(["create"]);
    const first = planOf({ rows: [], stored: state({ confirmedNone: false }), published: nothingPublished });
    expect(first.wouldAct).toBe(true);
    expect(kinds(first)).toEqual(["list_again", "create"]);
  });

  test("creates nothing where there is no offer", () => {
    const plan = planOf({ rows: [], stored: state(), published: nothingPublished, found: [] });
    expect(plan).toMatchObject({
      wouldAct: false,
      obstacle: "nothing can be created: no offer can be taken: see below why",
    });
  });

  test("writes the template first, whatever keeps an instance from being created", () => {
    const edit = known({ kind: "edit", fields: ["env", "onstart"] } as const);
    const serves = planOf({ templateChange: edit });
    expect(serves).toMatchObject({ wouldAct: true, reason: "instance_ready" });
    expect(kinds(serves)).toEqual(["write_template"]);
    const without = planOf({ rows: [], stored: state(), published: nothingPublished, found: [], templateChange: edit });
    expect(kinds(without)).toEqual(["write_template", "create"]);
    expect(without).toMatchObject({ wouldAct: true, obstacle: expect.stringContaining("nothing can be created") });
    expect(stepsTaken(without).map(({ kind }) => kind)).toEqual(["write_template"]);
    const observed = planOf({ templateChange: edit, policy: "observe" });
    expect(observed).toMatchObject({ wouldAct: false, steps: [{ kind: "write_template", suppressed: true }] });
  });

  test("of a template that the account does not have yet says that the rest comes later", () => {
    const seen = { ...observation([]), template: known(null) };
    const { notes, steps } = planOf({ seen, rows: [], templateChange: known({ kind: "create" }) });
    expect(steps[0]?.text).toBe('create the template "demo" as VAST_TEMPLATE_FILE says');
    expect(notes).toContain('What follows when the template "demo" is created is not part of this plan.');
    expect(notes.join()).not.toContain("correct VAST_TEMPLATE_NAME");
  });

  test("does not know what the file changes where the API did not say", () => {
    const { notes, wouldAct } = planOf({ templateChange: unknown() });
    expect(notes).toEqual([expect.stringMatching(/^What VAST_TEMPLATE_FILE changes is unknown/)]);
    expect(wouldAct).toBe(false);
  });

  test("bans the host of an instance that did not start in time, and takes no offer there", () => {
    const late = startingRow();
    const stored = state({ tracks: tracks(late.id, waitingTrack(21 * MINUTE)) });
    const found = [offer({ id: 1, hostId: late.hostId }), offer({ id: 2, hostId: 5, machineId: 6 })];
    const plan = planOf({ rows: [late], seen: observation([late]), stored, published: nothingPublished, found });
    expect(plan.reason).toBe("start_timeout");
    expect(texts(plan)).toEqual([
      `ban host ${late.hostId} (start_timeout)`,
      `destroy ${late.id} (start_timeout)`,
      "create from offer 2",
    ]);
    expect(plan.offers?.excluded).toMatchObject([{ reason: "banned_host", count: 1 }]);
  });

  test("avoids the machine of an instance that failed, also where nothing is banned", () => {
    const late = startingRow();
    const stored = state({ tracks: tracks(late.id, waitingTrack(21 * MINUTE)) });
    const found = [offer({ id: 1, machineId: late.machineId }), offer({ id: 2, machineId: 6 })];
    const plan = planOf({
      rows: [late],
      seen: observation([late]),
      stored,
      published: nothingPublished,
      found,
      bansEnabled: false,
    });
    expect(texts(plan)).toEqual([`destroy ${late.id} (start_timeout)`, "create from offer 2"]);
    expect(plan.offers?.excluded).toMatchObject([{ reason: "failed_machine", count: 1 }]);
  });

  test("destroys duplicates without creating others for them", () => {
    const second = row({ id: row().id + 1 });
    const plan = planOf({ rows: [row(), second] });
    expect(plan.reason).toBe("duplicate");
    expect(texts(plan)).toEqual([`destroy ${second.id} (duplicate)`]);
    expect(plan.others).toMatchObject([{ id: second.id }]);
  });

  test("says what VAST_POLICY forbids, and would not act then", () => {
    const watched = planOf({ image: "example/app:3", policy: "observe" });
    expect(watched.wouldAct).toBe(false);
    expect(watched.steps.map(({ kind, suppressed }) => [kind, suppressed])).toEqual([
      ["withdraw", true],
      ["destroy", true],
      ["create", true],
    ]);
    const creating = { rows: [], stored: state(), published: nothingPublished };
    expect(planOf({ ...creating, policy: "no-destroy" })).toMatchObject({
      wouldAct: true,
      steps: [{ suppressed: false }],
    });
  });

  test("has no steps while the list is unknown, and says that it is no plan", () => {
    const seen = observation([], { list: unknown("HTTP 502") });
    const plan = planOf({ seen });
    expect(plan).toMatchObject({ known: false, wouldAct: false, steps: [], instance: null });
    expect(plan.notes).toContain("The instance list is unknown (HTTP 502): there is no plan without it.");
    const refused = { known: false, why: { message: "HTTP 404", account: "auth" } } as const;
    const { notes } = planOf({ seen: observation([], { list: refused, template: refused }) });
    expect(notes.filter((note) => note.includes("set a valid key"))).toHaveLength(2);
  });

  test("knows the budget from the state file, and not without it", () => {
    const creates = [NOW - MINUTE, NOW - HOUR / 2];
    const plan = planOf({ stored: state({ tracks: serving, creates }), maxCreatesPerHour: 3 });
    expect(plan.budget).toEqual({ createsLeft: 1, createsPerHour: 3, freeAt: null });
    const spent = planOf({ stored: state({ tracks: serving, creates }), maxCreatesPerHour: 2 });
    expect(spent.budget).toMatchObject({ createsLeft: 0, freeAt: new Date(NOW + HOUR / 2 + MINUTE).toISOString() });
    const elsewhere = planOf({ stored: null, stateProblem: "The state file x does not exist here." });
    expect(elsewhere.budget).toBeNull();
    expect(elsewhere.notes).toEqual(["The state file x does not exist here."]);
  });

  test("without a state file counts one empty list, and one passing probe", () => {
    const none = planOf({ rows: [], stored: null, published: nothingPublished });
    expect(kinds(none)).toEqual(["create"]);
    expect(planOf({ stored: null, published: nothingPublished })).toMatchObject({
      reason: "instance_ready",
      wouldAct: false,
    });
  });

  test("creates the replacement of a failed instance only when the budget allows it", () => {
    const late = startingRow();
    const stored = state({ tracks: tracks(late.id, waitingTrack(21 * MINUTE)), creates: [NOW - 21 * MINUTE] });
    const plan = planOf({
      rows: [late],
      seen: observation([late]),
      stored,
      published: nothingPublished,
      maxCreatesPerHour: 1,
    });
    expect(texts(plan).at(-1)).toMatch(/^create another at 2026-11-23T15:40:00.000Z at the earliest/);
  });

  test.each<[string, Partial<PlanContext>, RegExp]>([
    [
      "the template",
      { seen: observation([row()], { template: unknown("HTTP 502") }) },
      /template "demo" is unknown \(HTTP 502\)/,
    ],
    [
      "a template that is missing",
      { seen: observation([row()], { template: known(null) }) },
      /no template named "demo"/,
    ],
    ["the bans", { seen: observation([row()], { bans: unknown("no answer") }) }, /bans are unknown \(no answer\)/],
    ["the credit", { credit: unknown("HTTP 403") as Seen<number | null> }, /credit is unknown \(HTTP 403\)/],
  ])("names %s among what is not known", (_, context, note) => {
    const plan = planOf(context);
    expect(plan.notes.join("\n")).toMatch(note);
    expect(plan.notes).toHaveLength(1);
  });

  test("takes the template's last known form for the offers while it is unknown", () => {
    const seen = observation([row()], { template: unknown() });
    const context = { seen, stored: state({ tracks: serving }), now: NOW, published: published() };
    const settings = { desired, limits, policy: "sync" as const, firstCreateWaitMs: 0 };
    expect(decideForPlan({ ...settings, ...context }).needs?.diskGb).toBe(template.diskSpace);
    const never = { ...context, stored: state({ tracks: serving, template: null }) };
    expect(decideForPlan({ ...settings, ...never }).needs).toBeNull();
  });
});
