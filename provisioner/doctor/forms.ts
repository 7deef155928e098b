// Whether the API still answers in the forms that this program reads: each read that it depends on. Pure.
import type * as z from "zod";
import { ACCOUNT_FORMS } from "../vast/account-calls.ts";
import { BODY_FORMS } from "../vast/client.ts";
import { PAGE_FORMS } from "../vast/instance-list.ts";
import { ROW_FORMS } from "../vast/rows.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";
import { type DriftedField, driftedFields } from "./form-drift.ts";

type Body = Readonly<Record<string, unknown>>;

interface Form {
  call: string;
  body: z.ZodObject;
  /** The list in the body and the schema of its rows; null for a body without one. */
  rows: { field: string; schema: z.ZodObject } | null;
  /** Fields that come only at times. */
  mayBeMissing: readonly string[];
  /** Without these fields the program would decide wrongly; without others it only knows less. */
  essential: readonly string[];
}

const LIST = "GET /api/v1/instances/";
const TEMPLATE = "GET /api/v0/template/";
const SEARCH = "POST /api/v0/bundles/";
const INCREASES = "GET /api/v0/instances/pending-price-increases/";
const CHARGES = "GET /api/v0/charges/";

/** `label_counts` comes only with a list of the whole account. */
const FORMS: readonly Form[] = [
  {
    call: "GET /api/v0/users/current/",
    body: BODY_FORMS.user,
    rows: null,
    mayBeMissing: [],
    essential: ["id"],
  },
  {
    call: LIST,
    body: PAGE_FORMS.page.extend({ label_counts: PAGE_FORMS.counts.shape.label_counts }),
    rows: { field: "instances", schema: ROW_FORMS.instance },
    mayBeMissing: ["next_token", "instances_found", "label_counts", "ports", "next_state", "template_hash_id"],
    essential: ["instances", "id", "label", "actual_status", "image_uuid", "public_ipaddr", "ports"],
  },
  {
    call: TEMPLATE,
    body: BODY_FORMS.templateList,
    rows: { field: "templates", schema: ROW_FORMS.template },
    mayBeMissing: [],
    essential: ["templates", "id", "hash_id", "name", "creator_id"],
  },
  {
    call: SEARCH,
    body: BODY_FORMS.offerList,
    rows: { field: "offers", schema: ROW_FORMS.offer },
    mayBeMissing: ["rentable"],
    essential: ["offers", "id", "host_id", "machine_id", "dph_total"],
  },
  // Both only tell a person something: no decision depends on them.
  {
    call: INCREASES,
    body: ACCOUNT_FORMS.increases,
    rows: { field: "pending_price_increases", schema: ACCOUNT_FORMS.increase },
    mayBeMissing: ["contract_end_date"],
    essential: [],
  },
  {
    call: CHARGES,
    body: ACCOUNT_FORMS.charges,
    rows: { field: "results", schema: ACCOUNT_FORMS.charge },
    mayBeMissing: ["next_token", "metadata"],
    essential: [],
  },
];

const REMEDY = "the API has changed: update vast-pod, and report the field if the newest version says the same";

/** `bodiesOf`: what the API answered to a call; none where it was not asked or refused. */
export function judgeForms(bodiesOf: (call: string) => readonly Body[]): Finding[] {
  const answered = FORMS.filter(({ call }) => bodiesOf(call).length > 0);
  const findings = answered.flatMap((form): Finding[] => {
    const fields = driftedIn(form, bodiesOf(form.call));
    if (fields.length === 0) return [];
    const text = `${form.call}: ${fields.map((field) => `${field.name} ${field.text}`).join(", ")}`;
    const decides = fields.some(({ name }) => form.essential.includes(name));
    return [decides ? fail("forms", text, REMEDY) : warn("forms", text, REMEDY)];
  });
  if (findings.length > 0 || answered.length === 0) return findings;
  const unseen = answered.filter((form) => form.rows !== null && rowsIn(form, bodiesOf(form.call)).length === 0);
  const without = unseen.length === 0 ? "" : `; no row to compare in ${unseen.map(({ call }) => call).join(" and ")}`;
  return [ok("forms", `${answered.length} of ${FORMS.length} kinds of answers have the expected form${without}`)];
}

function driftedIn(form: Form, bodies: readonly Body[]): DriftedField[] {
  const { rows, mayBeMissing } = form;
  const drifted = driftedFields(form.body, bodies, mayBeMissing);
  return rows === null ? drifted : [...drifted, ...driftedFields(rows.schema, rowsIn(form, bodies), mayBeMissing)];
}

function rowsIn({ rows }: Form, bodies: readonly Body[]): unknown[] {
  return bodies.flatMap((body) => {
    const list = rows === null ? null : body[rows.field];
    return Array.isArray(list) ? list : [];
  });
}
