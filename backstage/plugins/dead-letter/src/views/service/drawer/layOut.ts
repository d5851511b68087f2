const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
const OPENING = new Set(['{', '[']);
const CLOSING = new Set(['}', ']']);

/**
 * The same JSON, laid out in lines; it ends early once it is longer than `limit`. It is not parsed and written anew: numbers keep
 * all their digits, and names that come twice stay.
 */
export function layOut(json: string, limit: number): string {
  let laid = '';
  let depth = 0;
  let previous = '';
  for (const [token] of json.matchAll(TOKENS)) {
    if (CLOSING.has(token)) {
      depth--;
      if (!OPENING.has(previous)) laid += newLine(depth);
    } else if (OPENING.has(previous) || previous === ',') {
      laid += newLine(depth);
    }
    laid += token === ':' ? ': ' : token;
    if (OPENING.has(token)) depth++;
    if (laid.length > limit) break;
    previous = token;
  }
  return laid;
}

function newLine(depth: number): string {
  return `\n${'  '.repeat(depth)}`;
}
