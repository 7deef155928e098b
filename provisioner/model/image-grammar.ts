// Whether a text can be the name of an image: no host can pull another one, and the instance that tries is paid for. The grammar is that
// of the container engines: [registry[:port]/]path[:tag][@digest]. Pure.
import { AUTOMATIC_TAG } from "./image-reference.ts";

const MOST_NAME_LENGTH = 255;
const HOST_PART = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const HOST = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[0-9A-Fa-f:]+\\])(?::\\d+)?$`);
const PATH_PART = /^[a-z0-9]+(?:(?:[_.]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/** What is wrong with an image reference and how to correct it, or null. A missing tag means `latest`. */
export function imageProblem(text: string): string | null {
  if (/\s/.test(text)) return "it has a blank: remove it";
  if (/^[a-z]+:\/\//i.test(text)) return `it is a URL: write ${text.replace(/^[a-z]+:\/\//i, "")}`;
  const at = text.indexOf("@");
  const digest = at < 0 ? null : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1); // one before the last slash is the registry's port
  const isAutomatic = at >= 0 && text.slice(at) === AUTOMATIC_TAG;
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 || (isAutomatic && colon === named.length - 1) ? null : named.slice(colon + 1);
  return nameProblem(name) ?? tagProblem(tag) ?? (isAutomatic ? null : digestProblem(digest));
}

function nameProblem(name: string): string | null {
  if (name.length > MOST_NAME_LENGTH) return `its name has more than ${MOST_NAME_LENGTH} characters`;
  if (/^[0-9a-f]{64}$/.test(name)) return "it is the id of an image: write its name";
  const parts = name.split("/");
  const [first = ""] = parts;
  const hasHost = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  if (hasHost && !HOST.test(first)) return `"${first}" is no registry: write a host name, with a port or without`;
  const path = hasHost ? parts.slice(1) : parts;
  const wrong = path.find((part) => !PATH_PART.test(part));
  if (wrong === undefined) return null;
  if (PATH_PART.test(wrong.toLowerCase())) return `"${wrong}" is not in lower case: write ${wrong.toLowerCase()}`;
  const rule = "use lower-case letters and digits, with single dots, underscores or hyphens between them";
  return wrong === ""
    ? "a part of its name is empty: remove the slash or write the part"
    : `"${wrong}" is no part of a name: ${rule}`;
}

function tagProblem(tag: string | null): string | null {
  if (tag === null || TAG.test(tag)) return null;
  if (tag === "") return "the tag after the colon is missing: write it, or remove the colon";
  return `"${tag}" is no tag: use at most 128 letters, digits, dots, underscores and hyphens, and begin with a letter or digit`;
}

function digestProblem(digest: string | null): string | null {
  if (digest === null || DIGEST.test(digest)) return null;
  return "what follows the @ is no digest: write sha256: and 64 digits of 0-9 and a-f";
}
