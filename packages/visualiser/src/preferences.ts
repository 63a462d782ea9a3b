// What the reader chose and the browser keeps: the theme, and that the first hint was followed. Private windows may keep nothing, which is no error.

import {THEMES, type Theme} from '@hyperscope/elements';

const KEY = 'hyperscope.theme';
const HINTED = 'hyperscope.hinted';

/** The theme chosen last; 'auto' when none was, or nothing can be kept. */
export function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return THEMES.find(theme => theme === kept) ?? 'auto';
  } catch {
    return 'auto';
  }
}

/** Keeps the theme for the next visit, where that is allowed. */
export function keepTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is off or full: the choice lasts as long as the page.
  }
}

/** Whether this reader still needs to be told what to press first. */
export function needsHint(): boolean {
  try {
    return localStorage.getItem(HINTED) === null;
  } catch {
    return true;
  }
}

/** Keeps that the hint was followed. */
export function keepHinted(): void {
  try {
    localStorage.setItem(HINTED, 'yes');
  } catch {
    // Then the hint comes again on the next visit, which does no harm.
  }
}

/** Whether the reader has asked their system for less motion, now and whenever it is asked. */
export function watchMotion(): () => 'full' | 'reduced' {
  const reduced = matchMedia('(prefers-reduced-motion: reduce)');
  return () => (reduced.matches ? 'reduced' : 'full');
}
