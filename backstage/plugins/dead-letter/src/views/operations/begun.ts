/** Operations that were begun in this window, and have not been brought into sight yet. */
const waiting = new Set<string>();

/** It is brought into sight as soon as it is listed. */
export function noteBegun(id: string) {
  waiting.add(id);
}

/** Whether it was begun in this window. It says so once: who has scrolled away since, is left there. */
export function takeBegun(id: string): boolean {
  return waiting.delete(id);
}
