// The colours and sizes of every element, as custom properties on the document, in three themes.
// Colour means who runs: cold is the guest, warm is the host (the Okabe–Ito palette, safe for colour-blind readers).
// For each actor: `--x` fills and strokes (3:1 on the panel), `--x-tint` backgrounds, `--x-ink` text (4.5:1 on both).

import {css, unsafeCSS} from 'lit';

/** 'auto' follows the reader's system. */
export const THEMES = ['auto', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof THEMES)[number];

const LIGHT = `
  color-scheme: light;
  --bg: #f4f4f1; --panel: #ffffff; --sunken: #f3f4f6; --ink: #1b2130; --mute: #565e6d; --line: #dcdfe5; --strong-line: #868e9c;
  --hit: #fff0c2; --hit-ink: #4d3a00; --focus: #1d4ed8; --accent: #1b2130; --on-accent: #ffffff;
  --guest-user: #56b4e9; --guest-user-tint: #e2f2fc; --guest-user-ink: #0a5480;
  --guest-kernel: #0072b2; --guest-kernel-tint: #d2e6f4; --guest-kernel-ink: #00507d;
  --hypervisor: #d55e00; --hypervisor-tint: #fce6d8; --hypervisor-ink: #964100;
  --vmm: #e69f00; --vmm-tint: #fdf1d8; --vmm-ink: #714d00;
  --device: #009e73; --device-tint: #d8f3ea; --device-ink: #00604a;
  --stealth: #cc79a7; --stealth-tint: #f8e6f0; --stealth-ink: #87325f;
  --good: #00795a; --bad: #b42318; --console: #14181f; --console-ink: #d6f5d6;
  --shadow: 0 1px 2px rgb(20 24 31 / 8%), 0 4px 14px rgb(20 24 31 / 8%);`;

const DARK = `
  color-scheme: dark;
  --bg: #0f1218; --panel: #171b23; --sunken: #10141b; --ink: #e9ecf2; --mute: #a7b0bf; --line: #2c333f; --strong-line: #7a8494;
  --hit: #4a3d12; --hit-ink: #ffe9a6; --focus: #8ab4ff; --accent: #e9ecf2; --on-accent: #12151c;
  --guest-user: #56b4e9; --guest-user-tint: #153648; --guest-user-ink: #a5dbfa;
  --guest-kernel: #3b98dc; --guest-kernel-tint: #10304a; --guest-kernel-ink: #9bcdf5;
  --hypervisor: #f0803a; --hypervisor-tint: #46260f; --hypervisor-ink: #ffbd90;
  --vmm: #e9ab2a; --vmm-tint: #3d3010; --vmm-ink: #ffd885;
  --device: #27b98e; --device-tint: #0d382d; --device-ink: #85e5c6;
  --stealth: #dd92bb; --stealth-tint: #432436; --stealth-ink: #f6bfdb;
  --good: #4fd1a5; --bad: #ff9a8d; --console: #080a0e; --console-ink: #c8f0c8;
  --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 4px 14px rgb(0 0 0 / 35%);`;

const CONTRAST = `
  color-scheme: light;
  --bg: #ffffff; --panel: #ffffff; --sunken: #ffffff; --ink: #000000; --mute: #222222; --line: #000000; --strong-line: #000000;
  --hit: #ffe45c; --hit-ink: #000000; --focus: #0000ff; --accent: #000000; --on-accent: #ffffff;
  --guest-user: #0079b8; --guest-user-tint: #e6f6ff; --guest-user-ink: #003a5c;
  --guest-kernel: #004a80; --guest-kernel-tint: #dcecf8; --guest-kernel-ink: #002f52;
  --hypervisor: #a84300; --hypervisor-tint: #ffeadd; --hypervisor-ink: #662800;
  --vmm: #8f6000; --vmm-tint: #fff4d9; --vmm-ink: #4a3200;
  --device: #006b4e; --device-tint: #e0f7ef; --device-ink: #003d2c;
  --stealth: #8f2f65; --stealth-tint: #fbe9f3; --stealth-ink: #5c1b40;
  --good: #00533c; --bad: #9b0000; --console: #000000; --console-ink: #ffffff;
  --shadow: 0 0 0 2px #000;`;

const SIZES = `
  --sans: Inter, "Segoe UI", -apple-system, BlinkMacSystemFont, Roboto, "Helvetica Neue", "Liberation Sans", system-ui, sans-serif;
  --mono: "JetBrains Mono", ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --size: 14px; --small: 12px; --code: 12.5px; --radius: 8px;`;

/** The style sheet for the document; elements inherit its custom properties. */
export const themeStyles = css`
  /* What is drawn for paper is light whatever the page is. */
  :root,
  [data-paper] {
    ${unsafeCSS(SIZES)} ${unsafeCSS(LIGHT)}
  }
  @media (prefers-color-scheme: dark) {
    :root:not([data-theme]) {
      ${unsafeCSS(DARK)}
    }
  }
  @media (prefers-contrast: more) {
    :root:not([data-theme]) {
      ${unsafeCSS(CONTRAST)}
    }
  }
  :root[data-theme='dark'] {
    ${unsafeCSS(DARK)}
  }
  :root[data-theme='contrast'] {
    ${unsafeCSS(CONTRAST)}
  }
`;

/** Puts the tokens on a document, once. A constructed sheet needs no exception in a content security policy. */
export function installTheme(target: Document): void {
  const sheet = themeStyles.styleSheet;
  if (sheet !== undefined && !target.adoptedStyleSheets.includes(sheet)) {
    target.adoptedStyleSheets = [...target.adoptedStyleSheets, sheet];
  }
}

/** Chooses a theme for a document. */
export function applyTheme(target: Document, theme: Theme): void {
  if (theme === 'auto') delete target.documentElement.dataset['theme'];
  else target.documentElement.dataset['theme'] = theme;
}
