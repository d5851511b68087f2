import { useSyncExternalStore } from 'react';

/** In the browser's tab: a reload does not bring back what was dismissed. */
const KEY = 'dead-letter.dismissed-operations';

let all: ReadonlySet<string> = new Set(read());
const listeners = new Set<() => void>();

function read(): string[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
  } catch {
    return [];
  }
}

/** An operation that ended is shown no longer. */
export function dismiss(id: string) {
  all = new Set([...all, id]);
  sessionStorage.setItem(KEY, JSON.stringify([...all]));
  listeners.forEach(each => each());
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What was dismissed here. */
export function useDismissed(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => all);
}
