/** A share from 0 to 1 in percent: what is there never reads as nothing, nor as all. */
export function sayShare(share: number): string {
  const percent = (value: number) =>
    value.toLocaleString(undefined, {
      style: 'percent',
      maximumFractionDigits: 1,
    });
  if (share > 0 && share < 0.001) return `< ${percent(0.001)}`;
  if (share > 0.999 && share < 1) return `> ${percent(0.999)}`;
  return percent(share);
}
