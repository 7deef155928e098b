// Which texts of a template may be secrets, by their names and forms. Pure.

const SECRET_NAME = /key|token|secret|pass|pwd|auth|cred|login|private|salt|cert|dsn|url|uri/i;
// A long word with letters and digits may be a token.
const LONG_WORD = /(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{20,}|:\/\/[^/\s]*@/i;

// Forms that are nothing else: what known services issue, a private key, a password in a URL.
const ISSUED =
  /\b(?:hf_[a-z\d]{16,}|gh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|dckr_pat_[\w-]{16,}|sk-[\w-]{16,}|xox[a-z]-[\w-]{10,}|AKIA[A-Z\d]{16})|-----BEGIN [A-Z ]*PRIVATE KEY|:\/\/[^\s/@:$]*:[^\s/@$]+@/i;
const HOLDS_A_SECRET = `(?:token|password|passwd|secret|(?:api|access|secret|private|auth)[_-]?key)`;
const NAME_OF_A_SECRET = new RegExp(`${HOLDS_A_SECRET}$`, "i");
// A reference to a variable, a command or a file is no secret, and neither is a placeholder in brackets.
const PLAIN_WORD = String.raw`(?![$\x60/<[{(])[^\s"']{6,}`;
const NO_SECRET = /^(?:[\d.]+|true|false|none|null|disabled|enabled)$/i;
// `NAME=value` of a shell, and the flag of a command, which may have a blank before its value.
const ASSIGNED = new RegExp(
  String.raw`(?:(?:^|[\s;&("'])\w*${HOLDS_A_SECRET}=|\s--?[\w-]*${HOLDS_A_SECRET}[=\s]\s*)["']?(${PLAIN_WORD})`,
  "gim",
);
const PLAIN = new RegExp(`^${PLAIN_WORD}`);

const SCRIPTS: ReadonlySet<string> = new Set(["onstart", "args_str"]);

/** A variable of the account's template that may hold a secret: rather one too many, because it is about to be shown. */
export function mayBeSecret(name: string, value: string): boolean {
  return SECRET_NAME.test(name) || LONG_WORD.test(value) || ISSUED.test(value);
}

/** A variable whose value is a secret, as far as name and form can tell: few mistakes, because it is refused. */
export function isSecret(name: string, value: string): boolean {
  return ISSUED.test(value) || (NAME_OF_A_SECRET.test(name) && PLAIN.test(value) && !NO_SECRET.test(value));
}

/** A field with a secret in it: a script or a command line with one like `export TOKEN=...` or `--api-key ...`. */
export function holdsSecret(field: string, value: unknown): boolean {
  if (typeof value !== "string" || !SCRIPTS.has(field)) return false;
  return ISSUED.test(value) || [...` ${value}`.matchAll(ASSIGNED)].some(([, value = ""]) => !NO_SECRET.test(value));
}
