import { expect, test } from "vitest";
import { escapeHtml, html } from "../../../../provisioner/page/html.ts";

test("values are escaped in text and in attributes, and null is left out", () => {
  const hostile = `<img src=x onerror='a()'> & "x"`;
  expect(html`<p title="${hostile}">${hostile}${null}</p>`.text).toBe(
    '<p title="&lt;img src=x onerror=&#39;a()&#39;&gt; &amp; &quot;x&quot;">' +
      "&lt;img src=x onerror=&#39;a()&#39;&gt; &amp; &quot;x&quot;</p>",
  );
});

test("what `html` made itself is not escaped again", () => {
  expect(html`<ul>${["<a>", "b"].map((one) => html`<li>${one}</li>`)}</ul>${html`<b>${7}</b>`}`.text).toBe(
    "<ul><li>&lt;a&gt;</li><li>b</li></ul><b>7</b>",
  );
});

test("control characters and those that turn the text around are removed, line feeds stay", () => {
  expect(escapeHtml("a\u0007b\u001b[31mc\u202Egnp.exe\u2066d\ne\u0000\u009b")).toBe("ab[31mcgnp.exed\ne");
});

test("a text of megabytes is cut", () => {
  expect(escapeHtml("x".repeat(5_000_000))).toBe(`${"x".repeat(2000)}…`);
});
