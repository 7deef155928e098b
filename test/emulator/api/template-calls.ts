// Templates: search (own and public ones), list the account's own, create, edit, delete.
import { type Json, type JsonObject, numberOrNull, parseJson, textOrNull } from "../json.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import { contentHash, type Template, templateContent, templateHash, templateRow } from "../templates/template.ts";
import { seconds, type World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { compareValues, parseFilters, passes, selectColumns } from "./filters.ts";

const FILTERABLE: ReadonlySet<string> = new Set(
  (
    "creator_id created_at count_created default_tag docker_login_repo id image jup_direct hash_id name recent_create_date " +
    "recommended_disk_space recommended ssh_direct tag use_ssh private"
  ).split(" "),
);

function badRequest(msg: string): ApiResponse {
  return json(400, { success: false, error: "invalid_request", msg });
}

/** The account's templates and all public ones, in order of id, including other users' templates with the same name. */
export function searchTemplates(world: World, call: Call): ApiResponse {
  const filters = parseFilters(parameter(call, "select_filters") ?? {});
  if (!filters.ok) return badRequest(filters.problem);
  const wrong = filters.value.find((filter) => !FILTERABLE.has(filter.field));
  if (wrong) return badRequest(`Error in query parameters: ${wrong.field} is not a valid search key`);
  const columns = parameter(call, "select_cols") ?? ["*"];
  if (!Array.isArray(columns)) return badRequest("Error in query parameters: select_cols must be a JSON list");
  const rows = world.templates
    .filter((template) => template.public || template.creatorId === world.account.id)
    .map(templateRow)
    .filter((row) => filters.value.every((filter) => passes(row[filter.field] ?? null, filter)));
  const order = call.query.get("order_by");
  const column = order && FILTERABLE.has(order) ? order : "id";
  rows.sort((a, b) => compareValues(a[column] ?? null, b[column] ?? null) || compareValues(a.id ?? null, b.id ?? null));
  if (rows.length === 0 && world.settings.noTemplates === "success-false")
    return json(200, { success: false, msg: "No templates found" });
  const templates = rows.map((row) => selectColumns(row, columns.map(String)));
  return json(200, { success: true, templates_found: templates.length, templates });
}

function parameter(call: Call, name: string): Json | undefined {
  const value = call.query.get(name);
  if (value === null || value === "") return undefined;
  return parseJson(value) ?? value;
}

/** GET /users/me/created-templates/ */
export function ownTemplates(world: World): ApiResponse {
  const own = world.templates.filter((template) => template.creatorId === world.account.id);
  return json(200, { templates: own.map(templateRow) });
}

/** Equal content gives the existing template, or is refused. */
export function createTemplate(world: World, call: Call): ApiResponse {
  const body = fields(call);
  if (textOrNull(body.image) === null) return badRequest("image is required");
  const equal = equalTemplate(world, world.account.id, templateContent(body));
  if (equal && world.settings.equalTemplate === "refused")
    return json(200, { success: false, msg: `Existing Template Found: ${equal.id}` });
  const template = addTemplate(world, world.account.id, templateContent(body), body.private === false);
  setLogin(template, body);
  const msg = `Template Created Successfully! New Template ID: ${template.id}`;
  return json(200, { success: true, msg, template: templateRow(template) });
}

function setLogin(template: Template, body: JsonObject): void {
  const [user, password] = [textOrNull(body.docker_login_user), textOrNull(body.docker_login_pass)];
  if (user !== null && password !== null) template.dockerLogin = { user, password };
}

/** Adds a template, unless its creator has an equal one already. */
export function addTemplate(world: World, creatorId: number, content: JsonObject, isPublic: boolean): Template {
  const template: Template = {
    id: world.nextTemplateId,
    creatorId,
    public: isPublic,
    content,
    dockerLogin: null,
    createdAt: seconds(world),
    countCreated: 0,
    recentCreateDate: null,
  };
  const existing = equalTemplate(world, creatorId, content);
  if (existing) return existing;
  world.nextTemplateId += 1;
  world.templates.push(template);
  return template;
}

function equalTemplate(world: World, creatorId: number, content: JsonObject): Template | undefined {
  const hash = contentHash(content);
  return world.templates.find((one) => one.creatorId === creatorId && templateHash(one) === hash);
}

/** PUT /template/ names the template by its present hash; the answer has the new one. */
export function editTemplateCall(world: World, call: Call): ApiResponse {
  const { hash_id: hash, ...changes } = fields(call);
  const template = world.templates.find((one) => one.creatorId === world.account.id && templateHash(one) === hash);
  if (!template) return refusal(400, "invalid_args", "Invalid Template ID or User ID");
  const edited = template.public && world.settings.sharedTemplateEdit === "new-id" ? copyOf(world, template) : template;
  editTemplate(world, edited, changes);
  setLogin(edited, changes);
  return json(200, { success: true, msg: "Template Updated Successfully!", template: templateRow(edited) });
}

/** A new version with its own id, which leaves the original to those who use it. */
function copyOf(world: World, template: Template): Template {
  const copy = { ...structuredClone(template), id: world.nextTemplateId++, createdAt: seconds(world), countCreated: 0 };
  world.templates.push(copy);
  return copy;
}

/** Changes the content: same id, new hash. The earlier revision is remembered under its hash. */
export function editTemplate(world: World, template: Template, changes: JsonObject): void {
  world.earlierTemplates.set(templateHash(template), structuredClone(template));
  const content = templateContent({ ...changes }, template.content);
  if (changes.image !== undefined && changes.repo === undefined) content.repo = templateContent(changes).repo ?? "";
  template.content = content;
  if (typeof changes.private === "boolean") template.public = !changes.private;
}

/** Only by id: a hash is refused, as seen live. */
export function deleteTemplateCall(world: World, call: Call): ApiResponse {
  const id = numberOrNull(fields(call).template_id);
  const template = world.templates.find((one) => one.creatorId === world.account.id && one.id === id);
  if (!template) return refusal(400, "invalid_args", "Invalid Template ID or User ID");
  deleteTemplate(world, template);
  return json(200, { success: true, msg: "Template deleted successfully" });
}

export function deleteTemplate(world: World, template: Template): void {
  world.earlierTemplates.set(templateHash(template), template);
  world.templates = world.templates.filter((one) => one !== template);
}
