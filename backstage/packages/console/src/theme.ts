import { useSyncExternalStore } from 'react';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function chosen(): Theme {
  const stored = localStorage.getItem(KEY) as Theme;
  return THEMES.includes(stored) ? stored : 'auto';
}

function apply() {
  const theme = chosen();
  const system = dark.matches ? 'dark' : 'light';
  document.documentElement.dataset.themeMode =
    theme === 'auto' ? system : theme;
}

/** Shows the theme that was chosen before, else that of the system. */
export function startTheme() {
  apply();
  dark.addEventListener('change', apply);
}

function choose(theme: Theme) {
  localStorage.setItem(KEY, theme);
  apply();
  listeners.forEach(listener => listener());
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(subscribe, chosen), choose];
}
