// The calls about templates: search the account's own ones, create one, edit one. Touches the API through the function that it is given.
import * as z from "zod";
import type { Fence } from "../../common/http.ts";
import { expectShape, malformed, readRows } from "./checks.ts";
import { readTemplate, type Template } from "./rows.ts";
import type { Send } from "./transport.ts";

/** One template as the API shows it, with what the program reads of it. */
export interface OwnTemplate {
  template: Template;
  row: Readonly<Record<string, unknown>>;
}

export const templateList = z.object({ templates: z.array(z.unknown()) });
/** Also the other answer to a search that finds none: `readAnswer` lets no other body with `success: false` through. */
const foundTemplates = z.union([
  templateList,
  z.object({ success: z.literal(false) }).transform(() => ({ templates: [] })),
]);
const looseRow = z.looseObject({});

/** The account's own templates of this name, the newest first. */
export async function ownTemplates(
  send: Send,
  creator: number,
  name: string,
  retryRateLimited: boolean,
  signal?: AbortSignal,
): Promise<OwnTemplate[]> {
  const call = "GET /api/v0/template/";
  const query = { select_cols: ["*"], select_filters: { creator_id: { eq: creator }, name: { eq: name } } };
  const body = await send(
    { method: "GET", path: "/api/v0/template/", query, endpoint: "template", retryRateLimited },
    signal,
  );
  const { templates } = expectShape(foundTemplates, body, call, "`templates` is not a list");
  // The API sometimes ignores filters: another user's template of the same name must never be used.
  const rows = templates.filter((row) => mayBeOwn(row, creator, name));
  const read = (row: unknown): OwnTemplate | null => {
    const template = readTemplate(row);
    return template === null ? null : { template, row: looseRow.parse(row) };
  };
  const own = readRows(rows, read, call).filter(
    ({ template }) => template.creatorId === creator && template.name === name,
  );
  return own.toSorted((a, b) => b.template.id - a.template.id);
}

const ownedRow = z.looseObject({ creator_id: z.unknown(), name: z.unknown() });

/** Another user's row need not be readable. A row that does not show its creator may be ours. */
function mayBeOwn(row: unknown, creator: number, name: string): boolean {
  const parsed = ownedRow.safeParse(row);
  if (!parsed.success) return true;
  const { creator_id: rowCreator, name: rowName } = parsed.data;
  const other = (typeof rowCreator === "number" || typeof rowCreator === "string") && Number(rowCreator) !== creator;
  return !other && (typeof rowName !== "string" || rowName === name);
}

const written = z.object({ template: z.unknown() });

/**
 * Creates a template, or edits the one with this hash. Neither is repeated automatically. An edited template has another hash, and
 * another id where others use it too.
 */
export async function writeTemplate(
  send: Send,
  body: Readonly<Record<string, unknown>>,
  editedHash: string | null,
  fence: Fence,
  signal?: AbortSignal,
): Promise<Template> {
  const path = "/api/v0/template/";
  const method = editedHash === null ? "POST" : "PUT";
  const answer = await send(
    {
      method,
      path,
      body: editedHash === null ? body : { hash_id: editedHash, ...body },
      endpoint: "template_write",
      retryRateLimited: false,
      fence,
    },
    signal,
  );
  const call = `${method} ${path}`;
  const template = readTemplate(expectShape(written, answer, call, "no `template`").template);
  if (template === null) throw malformed(call, "the template cannot be read");
  return template;
}
