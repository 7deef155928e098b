// Whether two image references name the same image. Pure.

// Vast.ai's word for "the server picks a tag": the instance then reports the tag that was picked.
export const AUTOMATIC_TAG = "@vastai-automatic-tag";

/**
 * True when the reported image is the wanted one. Both are compared with the default registry, `library/` and `:latest` filled
 * in and the registry's host in lower case. A wanted automatic tag matches every tag of the same repository.
 */
export function sameImage(wanted: string, reported: string): boolean {
  if (wanted === reported) return true;
  const a = normalise(wanted);
  const b = normalise(reported);
  if (wanted.includes(AUTOMATIC_TAG)) return a.repository === b.repository;
  return a.repository === b.repository && a.version === b.version;
}

function normalise(reference: string): { repository: string; version: string } {
  const withoutScheme = reference.trim().replace(/^https?:\/\//, "");
  const at = withoutScheme.indexOf("@");
  const digest = at < 0 ? "" : withoutScheme.slice(at);
  const named = at < 0 ? withoutScheme : withoutScheme.slice(0, at);
  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1); // a colon before the last slash is the registry's port
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? "" : named.slice(colon + 1);
  const parts = path.split("/");
  const first = parts[0] ?? "";
  const hasHost = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  let host = hasHost ? first.toLowerCase() : "docker.io";
  if (host === "index.docker.io" || host === "registry-1.docker.io") host = "docker.io";
  const rest = hasHost ? parts.slice(1) : parts;
  if (host === "docker.io" && rest.length === 1) rest.unshift("library");
  return { repository: [host, ...rest].join("/"), version: digest || `:${tag || "latest"}` };
}
