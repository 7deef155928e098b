// Parses an nginx config as nginx does (ngx_conf_read_token), so that a test can compare what nginx reads with what was
// meant. Pure.

export interface Directive {
  words: string[];
  block: Directive[] | null;
}

/** Throws where nginx would. */
export function directives(text: string): Directive[] {
  const tokens = tokenize(text);
  let at = 0;
  const block = (depth: number): Directive[] => {
    const found: Directive[] = [];
    let words: string[] = [];
    for (; at < tokens.length; at += 1) {
      const token = tokens[at];
      if (token === undefined) break;
      if (token.kind === "word") words.push(token.text);
      else if (token.kind === ";") {
        found.push({ words, block: null });
        words = [];
      } else if (token.kind === "{") {
        at += 1;
        found.push({ words, block: block(depth + 1) });
        words = [];
      } else {
        if (depth === 0 || words.length > 0) throw new Error('unexpected "}"');
        return found;
      }
    }
    if (depth > 0 || words.length > 0) throw new Error("unexpected end of file");
    return found;
  };
  return block(0);
}

/** The names of all directives in order, with the depth that they stand at. */
export function skeleton(list: readonly Directive[], depth = 0): string[] {
  return list.flatMap((d) => [`${depth} ${d.words[0]}`, ...(d.block === null ? [] : skeleton(d.block, depth + 1))]);
}

/** All directives with that name at any depth, as lists of words. */
export function all(list: readonly Directive[], name: string): string[][] {
  return list.flatMap((d) => [...(d.words[0] === name ? [d.words] : []), ...(d.block ? all(d.block, name) : [])]);
}

/** The block of the directive that starts with these words. Throws if there is none. */
export function block(list: readonly Directive[], ...words: string[]): Directive[] {
  const found = list.find((d) => words.every((word, i) => d.words[i] === word))?.block;
  if (!found) throw new Error(`there is no ${words.join(" ")}`);
  return found;
}

type Token = { kind: "word"; text: string } | { kind: ";" | "{" | "}" };

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text[at] ?? "";
    if (/\s/.test(c)) at += 1;
    else if (c === "#") at = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at);
    else if (c === ";" || c === "{" || c === "}") {
      tokens.push({ kind: c });
      at += 1;
    } else if (c === '"' || c === "'") {
      let word = "";
      for (at += 1; text[at] !== c; at += 1) {
        if (at >= text.length) throw new Error("a quote is not closed");
        if (text[at] === "\\") at += 1;
        word += text[at] ?? "";
      }
      at += 1;
      if (at < text.length && !/[\s;{)]/.test(text[at] ?? "")) throw new Error("unexpected text after a quote");
      tokens.push({ kind: "word", text: word });
    } else {
      let word = "";
      for (; at < text.length && !/[\s;{]/.test(text[at] ?? ""); at += 1) word += text[at] ?? "";
      tokens.push({ kind: "word", text: word });
    }
  }
  return tokens;
}
