// Templates: named recipes for instances. The hash is computed from the content: every edit changes it, equal content shares it.
// Pure.
import { createHash } from "node:crypto";
import type { Json, JsonObject } from "../json.ts";

export interface Template {
  /** Stays the same through every edit. */
  id: number;
  creatorId: number;
  /** Everybody can find it. */
  public: boolean;
  /** The fields that the hash is computed from, with the row's names. */
  content: JsonObject;
  /** Credentials that the row never shows. */
  dockerLogin: { user: string; password: string } | null;
  /** Epoch seconds. */
  createdAt: number;
  countCreated: number;
  /** Epoch seconds of the last create. */
  recentCreateDate: number | null;
}

/** Fields of the content and the API's defaults. */
export const TEMPLATE_DEFAULTS: JsonObject = {
  name: "",
  desc: "",
  href: "",
  image: "",
  tag: "",
  default_tag: "latest",
  repo: "",
  env: "",
  onstart: "",
  runtype: "args",
  args_str: "",
  ssh_direct: false,
  use_ssh: false,
  jup_direct: false,
  jupyter_dir: null,
  use_jupyter_lab: false,
  docker_login_repo: null,
  readme: "",
  readme_visible: true,
  extra_filters: {},
  recommended_disk_space: 8, // the API's own smallest disk, GB
  volume_info: null,
};

/** The content with every field present, unknown fields dropped, null meaning "not given". */
export function templateContent(given: JsonObject, base: JsonObject = TEMPLATE_DEFAULTS): JsonObject {
  const content: JsonObject = {};
  for (const name of Object.keys(TEMPLATE_DEFAULTS)) {
    const value = given[name];
    content[name] = value === undefined || value === null ? (base[name] ?? null) : value;
  }
  if (typeof content.image === "string" && content.image !== "" && given.repo === undefined) {
    content.repo = repository(content.image);
  }
  return content;
}

/** 32 hex digits of the content. The author does not matter: equal templates of two users share a hash. */
export function templateHash({ content }: Template): string {
  return contentHash(content);
}

export function contentHash(content: JsonObject): string {
  const known = hashes.get(content);
  if (known !== undefined) return known;
  const text = JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
  const hash = createHash("md5").update(text).digest("hex");
  hashes.set(content, hash);
  return hash;
}

/** Cached, because every template call needs them; an edit makes new content. */
const hashes = new WeakMap<JsonObject, string>();

/** The template as the API shows it. */
export function templateRow(template: Template): JsonObject {
  return {
    id: template.id,
    hash_id: templateHash(template),
    creator_id: template.creatorId,
    ...template.content,
    private: !template.public,
    recommended: false,
    count_created: template.countCreated,
    created_at: template.createdAt,
    recent_create_date: template.recentCreateDate ?? template.createdAt,
    created_from_id: null,
  };
}

/** The image with its tag, as a create uses it. An image with its own tag or digest keeps it. */
export function templateImage(content: JsonObject): string | null {
  const image = typeof content.image === "string" ? content.image : "";
  if (image === "") return null;
  if (image.includes("@") || /:[^/]*$/.test(image)) return image;
  return `${image}:${nonEmpty(content.tag) ?? nonEmpty(content.default_tag) ?? "latest"}`;
}

function nonEmpty(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function repository(image: string): string {
  return image.replace(/@.*$/, "").replace(/:[^/]*$/, "");
}
