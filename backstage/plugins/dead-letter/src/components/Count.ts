/** A number with its thousands separated. */
export function sayCount(count: number): string {
  return count.toLocaleString();
}

const SMALLEST = 0.001;

/** A part of a whole, from 0 to 1, in percent. What is there never reads as nothing, and what is not all never as all. */
export function sayShare(share: number): string {
  const say = (part: number) =>
    part.toLocaleString(undefined, {
      style: 'percent',
      maximumFractionDigits: 1,
    });
  if (share > 0 && share < SMALLEST) return `< ${say(SMALLEST)}`;
  if (share < 1 && share > 1 - SMALLEST) return `> ${say(1 - SMALLEST)}`;
  return say(share);
}
