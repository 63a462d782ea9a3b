// For tests: puts an element on a page with the theme, waits until it is drawn, and asks axe about it.

import axe from 'axe-core';
import type {LitElement} from 'lit';
import {applyTheme, installTheme, type Theme} from '../theme.js';

/** Mounts an element alone on the page, in a theme. */
export async function mount<E extends LitElement>(element: E, theme: Theme = 'light'): Promise<E> {
  installTheme(document);
  applyTheme(document, theme);
  document.documentElement.lang = 'en';
  document.title = 'test';
  document.body.replaceChildren(element);
  document.body.style.background = 'var(--panel)';
  document.body.style.width = '900px';
  await element.updateComplete;
  return element;
}

/** What axe finds wrong with the page, as sentences; empty when it is accessible (WCAG 2.2 A and AA). */
export async function accessibilityTrouble(): Promise<readonly string[]> {
  const result = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']});
  return result.violations.map(
    violation =>
      `${violation.id}: ${violation.help}: ${violation.nodes.map(node => `${String(node.target)} ${node.failureSummary ?? ''}`).join(' | ')}`,
  );
}

/** The text that an element draws, without its styles, with single spaces. */
export function textOf(element: LitElement): string {
  const parts = [...(element.shadowRoot?.children ?? [])].filter(child => child.localName !== 'style');
  return parts
    .map(part => part.textContent ?? '')
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
