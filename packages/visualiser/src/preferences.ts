// What the reader chose and the browser keeps: the theme. Private windows may keep nothing, which is no error.

import {THEMES, type Theme} from '@hyperscope/elements';

const KEY = 'hyperscope.theme';

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
