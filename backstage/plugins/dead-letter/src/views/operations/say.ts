/** A number with its thousands separated, as it is written here. */
export function sayNumber(number: number): string {
  return number.toLocaleString(undefined, { maximumFractionDigits: 1 });
}

/** An id, short enough to be told from others by people: its end differs, as it begins with the time. */
export function sayId(id: string): string {
  return `…${id.slice(-8)}`;
}
