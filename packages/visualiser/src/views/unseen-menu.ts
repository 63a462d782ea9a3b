// A menu that lies over its picture, unseen: a press opens its list with the browser's own look. The place around it is positioned.

import {css} from 'lit';

/** The declarations of such a select. */
export const unseenMenu = css`
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  opacity: 0;
  cursor: pointer;
  font: inherit;
`;
