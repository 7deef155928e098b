// The version of both programs, printed by `--version`. A test compares it with package.json. Pure.
export const VERSION = "0.1.0";
