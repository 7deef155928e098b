// The error for a search query that cannot be used: what is wrong, and where. Pure.

const MAX_PIECE_LENGTH = 60;
const MAX_QUERY_REASON_LENGTH = 300;
const truncate = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}...` : text);

/** The only error that parsing a query throws. Its message is complete: position, piece of the text, reason, remedy. */
export class QueryError extends Error {
  override readonly name = "QueryError";
  constructor(
    /** The official command line's own words when it refuses the text too. */
    readonly reason: string,
    /** Offset in the original text, from 0; null for the text as a whole. */
    readonly position: number | null,
    readonly piece: string,
    /** How to correct it. */
    readonly remedy: string,
  ) {
    const where =
      position === null ? "" : `at position ${position}, ${JSON.stringify(truncate(piece, MAX_PIECE_LENGTH))}: `;
    super(`${where}${truncate(reason, MAX_QUERY_REASON_LENGTH)}${remedy === "" ? "" : ` - ${remedy}`}`);
  }
}
