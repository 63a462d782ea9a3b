// The story page: every element in every state, to be looked at in each theme and at any width. `npx vite packages/elements`, then
// open the address that it prints.

import {THEMES, applyTheme, installTheme} from '../theme.js';
import {CORE_STORIES} from './core-stories.js';
import {PANEL_STORIES} from './panel-stories.js';
import {STATE_STORIES} from './state-stories.js';
import type {Stories} from './story.js';

const GROUPS: Readonly<Record<string, Stories>> = {
  'The lab': CORE_STORIES,
  'The inspector': PANEL_STORIES,
  'Running, gone wrong, enormous': STATE_STORIES,
};

function choice(label: string, values: readonly string[], chosen: (value: string) => void): HTMLLabelElement {
  const select = document.createElement('select');
  select.append(...values.map(value => new Option(value)));
  select.addEventListener('change', () => chosen(select.value));
  const named = document.createElement('label');
  named.append(`${label} `, select);
  return named;
}

function story(name: string, make: () => HTMLElement): HTMLElement {
  const section = document.createElement('section');
  const heading = document.createElement('h3');
  heading.textContent = name;
  section.append(heading, make());
  return section;
}

function show(): void {
  installTheme(document);
  const bar = document.createElement('header');
  const main = document.createElement('main');
  bar.append(
    choice('Theme', THEMES, value => {
      const theme = THEMES.find(each => each === value);
      if (theme !== undefined) applyTheme(document, theme);
    }),
    choice('Width', ['360px', '480px', '720px', '1024px', '100%'], value => main.style.setProperty('--width', value)),
  );
  for (const [group, stories] of Object.entries(GROUPS)) {
    const heading = document.createElement('h2');
    heading.textContent = group;
    main.append(heading, ...Object.entries(stories).map(([name, make]) => story(name, make)));
  }
  document.body.replaceChildren(bar, main);
}

show();
