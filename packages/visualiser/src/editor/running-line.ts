// The line that the machine executes next, marked in the editor while the text is the one that runs.

import {StateEffect, StateField, type Extension} from '@codemirror/state';
import {Decoration, EditorView, type DecorationSet} from '@codemirror/view';

/** The line, from 1; undefined: none of this text. */
export const showRunningLine = StateEffect.define<number | undefined>();

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, change) {
    const told = change.effects.find(effect => effect.is(showRunningLine));
    if (told?.is(showRunningLine) !== true) return change.docChanged ? Decoration.none : shown;
    const {doc} = change.state;
    return told.value === undefined || told.value < 1 || told.value > doc.lines
      ? Decoration.none
      : Decoration.set([Decoration.line({class: 'cm-running'}).range(doc.line(told.value).from)]);
  },
  provide: decorations => EditorView.decorations.from(decorations),
});

export const runningLine: Extension = field;
