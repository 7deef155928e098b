import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageProblem } from "../../../../provisioner/model/image-grammar.ts";

const HEX = "f".repeat(64);
const MANY_PARTS = "a/".repeat(127);

// Most of them are the published cases of the engines' own parser.
describe("an image reference that can be pulled is accepted", () => {
  test.each([
    "example/app",
    "example/app:2",
    "test_com",
    "test.com:tag",
    "test.com:5000",
    "test.com/repo:tag",
    "test:5000/repo",
    `test:5000/repo@sha256:${HEX}`,
    `test:5000/repo:tag@sha256:${HEX}`,
    "lowercase:Uppercase",
    `${MANY_PARTS}a:tag-puts-this-over-max`,
    "sub-dom1.foo.com/bar/baz/quux:some-long-tag",
    "b.gcr.io/test.example.com/my-app:test.example.com",
    "xn--n3h.com/myimage:xn--n3h.com",
    `xn--7o8h.com/myimage:xn--7o8h.com@sha512:${HEX}${HEX}`,
    "foo/foo_bar.com:8080",
    "192.168.1.1:5000/repo:5050",
    "[2001:db8::1]:5000/repo:tag",
    "localhost/app",
    "REGISTRY.example/app:2",
    "foo__bar/a--b.c_d:_x",
    "vastai/base-image:@vastai-automatic-tag",
    "vastai/base-image@vastai-automatic-tag",
  ])("%s", (text) => {
    expect(imageProblem(text)).toBeNull();
  });
});

describe("one that no host can pull is refused, with what to change", () => {
  test.each([
    ["", "a part of its name is empty: remove the slash or write the part"],
    ["two words", "it has a blank: remove it"],
    ["example/app:2\n", "it has a blank: remove it"],
    ["https://registry.example/app:2", "it is a URL: write registry.example/app:2"],
    ["docker://example/app", "it is a URL: write example/app"],
    ["Uppercase:tag", '"Uppercase" is not in lower case: write uppercase'],
    ["Example/app:2", '"Example" is not in lower case: write example'],
    ["test:5000/Uppercase/lowercase:tag", '"Uppercase" is not in lower case: write uppercase'],
    [":justtag", "a part of its name is empty: remove the slash or write the part"],
    [`@sha256:${HEX}`, "a part of its name is empty: remove the slash or write the part"],
    ["example//app", "a part of its name is empty: remove the slash or write the part"],
    ["registry.example/app/", "a part of its name is empty: remove the slash or write the part"],
    ["example/app:", "the tag after the colon is missing: write it, or remove the colon"],
    [
      "example/app:2:3",
      '"2:3" is no tag: use at most 128 letters, digits, dots, underscores and hyphens, and begin with a letter or digit',
    ],
    [HEX, "it is the id of an image: write its name"],
    [`${MANY_PARTS}a/a:tag`, "its name has more than 255 characters"],
    ["-app", /^"-app" is no part of a name: /],
    ["aa/asdf$$^/aa", /^"asdf\$\$\^" is no part of a name: /],
    ["foo___bar", /is no part of a name/],
    ["-a.example/app", '"-a.example" is no registry: write a host name, with a port or without'],
    ["[fe80::1%eth0]:5000/repo", /is no registry/],
    ["[2001:db8::1]", /is no part of a name/],
    ["example/app:.2", /^"\.2" is no tag: /],
    [`example/app:${"x".repeat(129)}`, /is no tag/],
    ["repo@sha256:ffffffffffffffffffffffffffffffffff", /^what follows the @ is no digest: /],
    [`validname@invaliddigest:${HEX}`, /no digest/],
    [`example/app@sha256:${HEX.toUpperCase()}`, /no digest/],
    ["example/app@vastai-automatic-tags", /no digest/],
  ])("%j", (text, problem) => {
    expect(imageProblem(text)).toEqual(problem instanceof RegExp ? expect.stringMatching(problem) : problem);
  });

  test("and no other text is accepted", () => {
    const unit = fc.constantFrom("a", "A", "0", "-", "_", ".", "/", ":", "@", "[", "]", " ", "$");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
        if (imageProblem(text) === null) expect(text).toMatch(/^[\w[][\w.:/@[\]-]*$/);
      }),
      { numRuns: 2000 },
    );
  });
});
