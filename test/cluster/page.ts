// The commands of a page, as its reader types them. Pure.

/** The blocks of shell commands under a heading of the second level. */
export function shellBlocks(page: string, heading: string): string[] {
  return [...sectionOf(page, heading).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => `${block}`);
}

/** The commands within the sentences under a heading, in their order. */
export function inlineCommands(page: string, heading: string): string[] {
  const sentences = sectionOf(page, heading).replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...sentences.matchAll(/`(kubectl [^`]+)`/g)].map(([, command]) => `${command}`.replaceAll(/\s+/g, " "));
}

function sectionOf(page: string, heading: string): string {
  const start = `\n## ${heading}\n`;
  const [, after] = page.split(start, 2);
  if (after === undefined) throw new Error(`the page has no heading "${heading}"`);
  return after.split("\n## ", 1)[0] ?? "";
}
