// Images: how large they are, what they expose and whether they can be pulled. Pure.
import { hashText } from "../random.ts";
import type { ImageRule, Settings } from "../settings.ts";

const AUTOMATIC_TAG = "@vastai-automatic-tag";

/** The image that a machine pulls. The automatic tag is resolved for the vendor's own images only. */
export function resolveImage(image: string): string {
  if (!image.endsWith(`:${AUTOMATIC_TAG}`)) return image;
  const base = image.slice(0, -AUTOMATIC_TAG.length - 1);
  return base.startsWith("vastai/") ? `${base}:cuda-12.8.1-auto` : image;
}

/** Layers are about this many times as large on disk as in the registry. */
export const UNPACKED = 2.2;

export interface Pull {
  /** Size of the download. */
  sizeGb: number;
  /** Size on the instance's disk; 0 without a rule for the image, so that an invented name never fills a disk. */
  unpackedGb: number;
  exposes: readonly string[];
  /** The daemon's message if it cannot be pulled. */
  failure: string | null;
  /** The daemon's message if its container exits right after the start. */
  crash: string | null;
}

/** The properties of `image` when it is pulled. */
export function pullOf(image: string, settings: Settings): Pull {
  const rule: ImageRule = (Object.hasOwn(settings.images, image) ? settings.images[image] : undefined) ?? {};
  const missing = image.endsWith(AUTOMATIC_TAG) ? `Error response from daemon: manifest unknown: ${image}` : null;
  return {
    // Images that serve models have 2 to 12 GB; the name decides, so that an image has one size on every machine.
    sizeGb: rule.sizeGb ?? 2 + (hashText(image) % 1000) / 100,
    unpackedGb: (rule.sizeGb ?? 0) * UNPACKED,
    exposes: rule.exposes ?? [],
    failure: rule.failure ?? missing,
    crash: rule.crash ?? null,
  };
}
