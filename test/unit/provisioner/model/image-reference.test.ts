import { describe, expect, test } from "vitest";
import { sameImage } from "../../../../provisioner/model/image-reference.ts";

const DIGEST = `@sha256:${"a".repeat(64)}`;

describe("two references name the same image", () => {
  test.each([
    ["nginx", "nginx"],
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.27", "library/nginx:1.27"],
    ["example/app", "index.docker.io/example/app:latest"],
    ["example/app:2", "registry-1.docker.io/example/app:2"],
    ["example/app:2", "https://docker.io/example/app:2"],
    ["GHCR.io/example/app:2", "ghcr.io/example/app:2"],
    ["localhost/app", "localhost/app:latest"],
    ["registry.example:5000/app", "registry.example:5000/app:latest"],
    [`example/app${DIGEST}`, `docker.io/example/app${DIGEST}`],
    [`example/app:2${DIGEST}`, `example/app${DIGEST}`],
    ["example/app:2", " example/app:2\n"],
    ["vastai/base-image:@vastai-automatic-tag", "vastai/base-image:cuda-12.8"],
  ])("%s and %j", (a, b) => expect(sameImage(a, b)).toBe(true));
});

describe("two references name different images", () => {
  test.each([
    ["example/app:2", "example/app:1"],
    ["example/app:2", "example/app"],
    ["example/app", "other/app"],
    ["example/app", "ghcr.io/example/app"],
    ["example/app", "example/app/more"],
    ["registry.example:5000/app", "registry.example/app:5000"],
    [`example/app${DIGEST}`, "example/app:latest"],
    ["example/app:Two", "example/app:two"],
    ["vastai/base-image:@vastai-automatic-tag", "vastai/pytorch:cuda-12.8"],
  ])("%s and %s", (a, b) => expect(sameImage(a, b)).toBe(false));
});
