// The forms of the settings about the search: what is wrong with a text is said with its place. Pure.
import * as z from "zod";
import { readOrder } from "./order.ts";
import { readQuery } from "./query.ts";
import { QueryError } from "./query-error.ts";

const form = <T>(read: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });

export const searchForms = {
  VAST_SEARCH_QUERY: form((text) => readQuery(text)),
  VAST_SEARCH_ORDER: form(readOrder),
} as const;
