// The editor in the lab's colours: custom properties, so that each theme has its own and none is chosen here.

import {HighlightStyle, syntaxHighlighting} from '@codemirror/language';
import type {Extension} from '@codemirror/state';
import {EditorView} from '@codemirror/view';
import {tags} from '@lezer/highlight';

const REGISTER = 'light-dark(#5b3fa8, #c3b1ff)';

const highlight = HighlightStyle.define([
  {tag: tags.lineComment, color: 'var(--mute)', fontStyle: 'italic'},
  {tag: tags.string, color: 'var(--good)'},
  {tag: tags.number, color: 'var(--good)'},
  {tag: tags.meta, color: 'var(--mute)', fontWeight: '650'},
  {tag: tags.keyword, color: 'var(--ink)', fontWeight: '700'},
  {tag: tags.atom, color: REGISTER},
  {tag: tags.typeName, color: 'var(--mute)'},
  {tag: tags.labelName, color: 'var(--focus)', fontWeight: '650'},
  {tag: tags.variableName, color: 'var(--focus)'},
  {tag: tags.operator, color: 'var(--ink)'},
  {tag: tags.invalid, color: 'var(--bad)'},
]);

const theme = EditorView.theme({
  '&': {height: '100%', color: 'var(--ink)', backgroundColor: 'var(--panel)', fontSize: 'var(--code)'},
  '&.cm-focused': {outline: '2px solid var(--focus)', outlineOffset: '-2px'},
  '.cm-scroller': {fontFamily: 'var(--mono)', fontVariantLigatures: 'none', lineHeight: '1.5'},
  '.cm-content': {caretColor: 'var(--ink)', padding: '4px 0'},
  '.cm-cursor': {borderInlineStartColor: 'var(--ink)', borderInlineStartWidth: '2px'},
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--focus) 28%, transparent)',
  },
  '.cm-activeLine': {backgroundColor: 'color-mix(in srgb, var(--focus) 7%, transparent)'},
  '.cm-activeLineGutter': {backgroundColor: 'transparent', color: 'var(--ink)'},
  '.cm-gutters': {backgroundColor: 'var(--sunken)', color: 'var(--mute)', borderInlineEnd: '1px solid var(--line)'},
  '.cm-lineNumbers .cm-gutterElement': {minWidth: '4ch', padding: '0 6px 0 4px', textAlign: 'end'},
  '.cm-bytes .cm-gutterElement': {padding: '0 8px 0 4px', fontSize: '0.9em', whiteSpace: 'pre'},
  '.cm-address': {
    display: 'inline-block',
    minWidth: '5ch',
    marginInlineEnd: '1ch',
    textAlign: 'end',
    fontWeight: '600',
  },
  '&.cm-stale .cm-bytes': {fontStyle: 'italic'},
  '.cm-running': {backgroundColor: 'var(--hit)', boxShadow: 'inset 3px 0 0 var(--guest-kernel)'},
  '.cm-running, .cm-running span': {color: 'var(--hit-ink) !important'},
  '.cm-sentence': {
    margin: '2px 8px 4px 6px',
    padding: '3px 10px',
    font: '0.95em/1.4 var(--sans)',
    whiteSpace: 'normal',
    borderInlineStart: '4px solid var(--bad)',
    backgroundColor: 'color-mix(in srgb, var(--bad) 10%, var(--panel))',
    borderRadius: '0 6px 6px 0',
    position: 'sticky',
    insetInlineStart: 'calc(var(--gutters, 0px) + 6px)',
    width: 'calc(var(--room, 100%) - 18px)',
    boxSizing: 'border-box',
  },
  '.cm-sentence b': {color: 'var(--bad)', fontWeight: '650'},
  '.cm-sentence-warning': {borderColor: 'var(--vmm)', backgroundColor: 'var(--vmm-tint)'},
  '.cm-sentence-warning b': {color: 'var(--vmm-ink)'},
  '.cm-tooltip': {
    backgroundColor: 'var(--panel)',
    color: 'var(--ink)',
    border: '1px solid var(--strong-line)',
    borderRadius: '6px',
    boxShadow: 'var(--shadow)',
  },
  '.cm-tooltip-autocomplete > ul': {fontFamily: 'var(--mono)', maxWidth: 'min(440px, 90vw)'},
  '.cm-tooltip-autocomplete > ul > li': {padding: '3px 8px'},
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': {font: 'italic 0.92em var(--sans)', color: 'inherit', opacity: '0.85'},
  '.cm-completionMatchedText': {textDecoration: 'underline', fontWeight: '700'},
  '.cm-panels': {backgroundColor: 'var(--sunken)', color: 'var(--ink)', borderColor: 'var(--line)'},
  '.cm-panel input, .cm-panel button': {
    font: 'inherit',
    color: 'var(--ink)',
    background: 'var(--panel)',
    border: '1px solid var(--strong-line)',
    borderRadius: '5px',
  },
  '.cm-searchMatch': {backgroundColor: 'var(--hit)', outline: '1px solid var(--strong-line)'},
});

/** How wide the gutters and the text are on the screen: a sentence below a line stays in sight when the text is scrolled sideways. */
const measured = EditorView.updateListener.of(({geometryChanged, view}) => {
  if (!geometryChanged) return;
  const gutters = view.scrollDOM.querySelector('.cm-gutters')?.clientWidth ?? 0;
  view.dom.style.setProperty('--gutters', `${gutters}px`);
  view.dom.style.setProperty('--room', `${view.scrollDOM.clientWidth - gutters}px`);
});

export const editorLook: Extension = [theme, measured, syntaxHighlighting(highlight)];
