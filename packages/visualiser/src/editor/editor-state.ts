// What the editor is put together from: CodeMirror's parts, NASM, and our assembler beside each line.

import {autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap} from '@codemirror/autocomplete';
import {defaultKeymap, history, historyKeymap, indentWithTab} from '@codemirror/commands';
import {bracketMatching, indentUnit} from '@codemirror/language';
import {lintKeymap} from '@codemirror/lint';
import {highlightSelectionMatches, search, searchKeymap} from '@codemirror/search';
import {EditorState, type Extension} from '@codemirror/state';
import {EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers, type ViewUpdate} from '@codemirror/view';
import {bytesGutter} from './bytes-gutter.js';
import {diagnosticSentences} from './diagnostics.js';
import {editorLook} from './editor-look.js';
import {nasmCompletion} from './nasm-completion.js';
import {nasmLanguage} from './nasm-language.js';
import type {KnownWords} from './nasm-words.js';
import {runningLine} from './running-line.js';

export interface EditorActions {
  /** Assembles and runs. */
  readonly run: () => void;
  readonly save: () => void;
  /** Gives the keys back to the page. */
  readonly leave: () => void;
  readonly changed: (update: ViewUpdate) => void;
}

const LABEL = {
  'aria-label': 'Assembly source. Control and Enter assembles and runs; Escape leaves the editor.',
};

/** A state for a text; what one guest's text went through is undone without touching another's. */
export function editorState(text: string, words: KnownWords, actions: EditorActions): EditorState {
  return EditorState.create({doc: text, extensions: [keys(actions), parts(words), told(actions)]});
}

function keys(actions: EditorActions): Extension {
  const act = (what: () => void) => () => {
    what();
    return true;
  };
  return [
    keymap.of([
      {key: 'Mod-Enter', run: act(actions.run), preventDefault: true},
      {key: 'Mod-s', run: act(actions.save), preventDefault: true},
    ]),
    keymap.of([
      ...completionKeymap,
      ...closeBracketsKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...lintKeymap,
      indentWithTab,
      ...defaultKeymap,
    ]),
    // Last: what Escape closes first (a list, a search) or undoes (a second cursor) has its turn before.
    keymap.of([{key: 'Escape', run: act(actions.leave)}]),
  ];
}

function parts(words: KnownWords): Extension {
  return [
    lineNumbers(),
    bytesGutter,
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    bracketMatching(),
    closeBrackets(),
    search({top: true}),
    indentUnit.of('        '),
    nasmLanguage(words),
    autocompletion({override: [nasmCompletion(words)], icons: false}),
    diagnosticSentences,
    runningLine,
    editorLook,
  ];
}

function told(actions: EditorActions): Extension {
  return [
    EditorView.updateListener.of(actions.changed),
    EditorView.contentAttributes.of({...LABEL, spellcheck: 'false', tabindex: '0'}),
  ];
}
