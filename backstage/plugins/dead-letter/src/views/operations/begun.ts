import { useSyncExternalStore } from 'react';

/** An operation that was begun in this browser. */
export interface Begun {
  environment: string;
  id: string;
  /** Where it was begun. */
  by: string;
}

let all: readonly Begun[] = [];
const listeners = new Set<() => void>();

function change(to: readonly Begun[]) {
  all = to;
  listeners.forEach(each => each());
}

/** From now on it is shown. */
export function remember(begun: Begun) {
  change([begun, ...all]);
}

/** It is shown no longer. */
export function forget(id: string) {
  change(all.filter(each => each.id !== id));
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What was begun here and is not forgotten, the last one first. It survives the view that began it. */
export function useBegun(): readonly Begun[] {
  return useSyncExternalStore(subscribe, () => all);
}
