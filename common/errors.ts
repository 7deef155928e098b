// Reads code and message of any thrown value. Pure.

/** The `code` of an error of the system, of Node or of a library (`ENOENT`, `ERR_BAD_RESPONSE`), or null. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** The message of an error; any other thrown value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether it is an error of the file system: the system's codes are like ENOSPC, Node's own are like ERR_INVALID_ARG_TYPE. */
export function isFileSystemError(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(codeOf(error) ?? "");
}
