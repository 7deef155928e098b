// Merges a request with a template into a container: the request's scalars win, environments are merged by name. Pure.
import { resolveImage } from "../instances/images.ts";
import type { ContainerSpec } from "../instances/instance.ts";
import { isObject, type Json, type JsonObject, textOrNull } from "../json.ts";
import { parseDockerFlags } from "../templates/docker-flags.ts";
import { type Template, templateHash, templateImage } from "../templates/template.ts";
import type { World } from "../world.ts";
import type { Parsed } from "./filters.ts";

const LONGEST_IMAGE = 1024;
const LONGEST_ARGS = 4096;
const LONGEST_ENV_NAME = 256;
const LONGEST_ENV = 32_768;

export interface Made {
  spec: ContainerSpec;
  template: Template | null;
}

/** The template with that hash. Hashes of earlier revisions work only if the settings say so. */
export function templateByHash(world: World, hash: string): Template | null {
  // Two users' equal templates share a hash: the account's own comes first.
  const current = world.templates.filter((template) => templateHash(template) === hash);
  const own = current.find((template) => template.creatorId === world.account.id);
  const earlier = world.settings.staleTemplateHash === "works" ? world.earlierTemplates.get(hash) : undefined;
  return own ?? current[0] ?? earlier ?? null;
}

/** Reads image, template, environment, arguments. A problem is a sentence for `msg`. */
export function specFor(world: World, body: JsonObject): Parsed<Made> {
  const problem = (text: string) => ({ ok: false as const, problem: text });
  const hash = textOrNull(body.template_hash_id);
  const template = hash === null ? null : templateByHash(world, hash);
  if (hash !== null && !template)
    return problem("error 400/3467: Invalid args: template_hash_id is not a valid template");
  const content = template?.content ?? {};
  const image = textOrNull(body.image) ?? (template ? templateImage(template.content) : null);
  if (image === null) return problem("error 400/3467: Invalid args: image is required");
  if (image.length > LONGEST_IMAGE) return problem("error 400/3471: Invalid args: len(image) > 1024");

  const onstart = textOrNull(body.onstart) ?? textOrNull(content.onstart);
  const args = readArgs(body, content);
  const length = (onstart ?? "").length + (Array.isArray(args) ? args.join("").length : String(args ?? "").length);
  if (length > LONGEST_ARGS) return problem("error 400/3471: Invalid args: len(args) > 4096");

  const own = readEnvironment(world, body.env);
  if (!own.ok) return own;
  const inherited = typeof content.env === "string" ? parseDockerFlags(content.env) : {};
  const login = textOrNull(body.image_login);
  if (login !== null && /['"\n]/.test(login)) return problem("error 400/3467: Invalid args: image_login");
  return {
    ok: true,
    value: {
      template,
      spec: {
        image: resolveImage(image),
        env: { ...inherited, ...own.value },
        runtype: readRuntype(body, content, args),
        onstart,
        args,
        templateId: template?.id ?? null,
        templateHash: template && hash,
        templateName: textOrNull(content.name),
      },
    },
  };
}

function readArgs(body: JsonObject, content: JsonObject): Json {
  if (Array.isArray(body.args)) return body.args;
  const text = textOrNull(body.args_str) ?? textOrNull(body.args) ?? textOrNull(content.args_str);
  return text === null ? null : text.split(/\s+/);
}

/** An object is used. A string of docker flags is accepted and ignored, as reported of the real API. */
function readEnvironment(world: World, env: Json | undefined): Parsed<Record<string, string>> {
  if (typeof env === "string") {
    return { ok: true, value: world.settings.stringEnv === "parsed" ? parseDockerFlags(env) : {} };
  }
  if (env === undefined || env === null) return { ok: true, value: {} };
  if (!isObject(env)) return { ok: false, problem: "error 400/3467: Invalid args: env" };
  const pairs = Object.entries(env).map(([name, value]): [string, string] => [name, String(value ?? "")]);
  if (pairs.some(([name]) => name.length > LONGEST_ENV_NAME) || JSON.stringify(env).length > LONGEST_ENV) {
    return { ok: false, problem: "error 400/3471: Invalid args: len(env) > 32768" };
  }
  return { ok: true, value: Object.fromEntries(pairs) };
}

const SSH_DIRECT = "ssh ssh_direc ssh_proxy";
const REPORTED_RUNTYPES: Readonly<Record<string, string>> = {
  ssh: SSH_DIRECT,
  ssh_direct: SSH_DIRECT,
  "ssh_direc ssh_proxy": SSH_DIRECT,
  ssh_proxy: "ssh ssh_proxy",
  jupyter: "jupyter_direc ssh_direc ssh_proxy",
  jupyter_direct: "jupyter_direc ssh_direc ssh_proxy",
  jupyter_proxy: "jupyter_proxy ssh_proxy",
};

function readRuntype(body: JsonObject, content: JsonObject, args: Json): string {
  const wanted = textOrNull(body.runtype) ?? textOrNull(content.runtype) ?? (args === null ? "ssh" : "args");
  return REPORTED_RUNTYPES[wanted] ?? wanted;
}
