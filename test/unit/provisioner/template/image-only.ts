import type { WantedTemplate } from "../../../../provisioner/template/file.ts";

/** A template file that names nothing but the image. */
export const IMAGE_ONLY: WantedTemplate = {
  image: "example/app:2",
  ports: null,
  env: null,
  secretNames: [],
  login: null,
  fields: {},
  secrets: [],
};
