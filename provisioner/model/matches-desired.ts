// Compares an instance's image and template hash with the desired ones. Pure.
import type { Instance } from "../vast/rows.ts";
import type { Desired } from "./desired.ts";
import { sameImage } from "./image-reference.ts";

/**
 * - `not_reported`: the API does not report the value of this instance (yet)
 * - `not_known`: the desired value is not known (yet)
 */
export type ValueMatch = "same" | "different" | "not_reported" | "not_known";

/** Each reader decides what a missing value means: it is no difference, no match, and no reason to prefer another instance. */
export function matchesDesired(
  row: Pick<Instance, "image" | "templateHash">,
  desired: Pick<Desired, "image">,
  template: { hash: string } | null,
): { image: ValueMatch; templateHash: ValueMatch } {
  return { image: compareImage(row.image, desired.image), templateHash: compareHash(row.templateHash, template) };
}

/** Null: not everything is known yet. A template of another name is none: it was wanted by an earlier run. */
export function isOutdated(
  row: Pick<Instance, "image" | "templateHash">,
  desired: Pick<Desired, "image" | "templateName">,
  template: { hash: string; name: string } | null,
): boolean | null {
  const wanted = template?.name === desired.templateName ? template : null;
  const { image, templateHash } = matchesDesired(row, desired, wanted);
  if (image === "different" || templateHash === "different") return true;
  return image === "not_reported" || templateHash === "not_known" ? null : false;
}

function compareImage(reported: string, wanted: string): ValueMatch {
  if (reported === "") return "not_reported";
  return sameImage(wanted, reported) ? "same" : "different";
}

function compareHash(reported: string | null, template: { hash: string } | null): ValueMatch {
  if (template === null) return "not_known";
  if (reported === null) return "not_reported";
  return reported === template.hash ? "same" : "different";
}
