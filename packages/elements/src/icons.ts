// The few pictures on buttons, as outlines in a box of 16 × 16: no icon font, nothing to load.

import {html, type TemplateResult} from 'lit';

const ICONS = {
  first: 'M3 2.5V13.5M13.5 2.5L5.5 8L13.5 13.5z',
  back: 'M12 2.5L4 8L12 13.5z',
  play: 'M3.5 2L13.5 8L3.5 14z',
  pause: 'M4 2.5H6.5V13.5H4zM9.5 2.5H12V13.5H9.5z',
  forward: 'M4 2.5L12 8L4 13.5z',
  last: 'M13 2.5V13.5M2.5 2.5L10.5 8L2.5 13.5z',
  exit: 'M1.5 8H9M6 4.5L9.5 8L6 11.5M13.5 2V14',
} as const;
export type IconName = keyof typeof ICONS;

/** An icon in the colour of the text around it; the button carries the name. */
export function icon(name: IconName): TemplateResult {
  const outline = name === 'exit';
  return html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path
      d=${ICONS[name]}
      stroke="currentColor"
      stroke-width=${outline ? 2 : 1.4}
      stroke-linejoin="round"
      fill=${outline ? 'none' : 'currentColor'}
    ></path>
  </svg>`;
}
