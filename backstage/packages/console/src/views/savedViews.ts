import { useSyncExternalStore } from 'react';

/** A page with all that its address says, by a name that its reader gave it. */
export interface SavedView {
  name: string;
  address: string;
}

const KEY = 'dead-letter.views';
/** Longer names are of no use in a list. */
export const LONGEST_NAME = 60;
/** Parameters that say where in a list somebody is, and not what is listed. */
const PASSING = ['cursor', 'message', 'operation'];

const listeners = new Set<() => void>();
let read: { text: string | null; views: SavedView[] } = {
  text: null,
  views: [],
};

function stored(): SavedView[] {
  const text = localStorage.getItem(KEY);
  if (text !== read.text) read = { text, views: parse(text) };
  return read.views;
}

/** Others may have written there, too: what is no view is left out. */
function parse(text: string | null): SavedView[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(found) ? found.filter(isView) : [];
  } catch {
    return [];
  }
}

function isView(value: any): value is SavedView {
  return (
    typeof value?.name === 'string' &&
    typeof value.address === 'string' &&
    value.address.startsWith('/console/')
  );
}

function store(views: SavedView[]) {
  localStorage.setItem(KEY, JSON.stringify(views));
  listeners.forEach(listener => listener());
}

/** What is listed at an address, whichever page of it is open. */
export function addressOf(pathname: string, search: string): string {
  const parameters = new URLSearchParams(search);
  PASSING.forEach(each => parameters.delete(each));
  const text = parameters.toString();
  return text ? `${pathname}?${text}` : pathname;
}

/** A view with the same name is replaced. */
export function saveView(view: SavedView) {
  const others = stored().filter(each => each.name !== view.name);
  const byName = (one: SavedView, other: SavedView) =>
    one.name.localeCompare(other.name);
  store([...others, view].sort(byName));
}

export function deleteView(name: string) {
  store(stored().filter(each => each.name !== name));
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

/** The views of this browser, by name. */
export function useSavedViews(): SavedView[] {
  return useSyncExternalStore(subscribe, stored);
}
