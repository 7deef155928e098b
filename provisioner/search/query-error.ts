// Why a search query cannot be used, and where. Pure.

const LONGEST_PIECE = 60;
const LONGEST_REASON = 300;
const truncate = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}...` : text);

/** The only thing that reading a query throws. Its message is complete: position, piece of the text, reason. */
export class QueryError extends Error {
  override readonly name = "QueryRefused";
  constructor(
    /** In the official command line's words where it refuses the text too. */
    readonly reason: string,
    /** Offset in the text as it was given, from 0; null where the whole text is meant. */
    readonly position: number | null,
    readonly piece: string,
    /** What would be right. */
    readonly remedy: string,
  ) {
    const where =
      position === null ? "" : `at position ${position}, ${JSON.stringify(truncate(piece, LONGEST_PIECE))}: `;
    super(`${where}${truncate(reason, LONGEST_REASON)}${remedy === "" ? "" : ` - ${remedy}`}`);
  }
}
