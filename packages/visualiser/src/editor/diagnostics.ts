// What the assembler says, on the line that it says it of: the place underlined, and the sentence below the line.

import {setDiagnostics, type Diagnostic} from '@codemirror/lint';
import {StateEffect, StateField, type Extension, type Text} from '@codemirror/state';
import {Decoration, EditorView, WidgetType, type DecorationSet} from '@codemirror/view';
import type {SourceDiagnostic} from '../lab-client.js';

/** Sentences below lines; what is more is only underlined. */
const MOST_SENTENCES = 30;

const tellSentences = StateEffect.define<readonly SourceDiagnostic[]>();

class Sentence extends WidgetType {
  readonly told: SourceDiagnostic;
  constructor(told: SourceDiagnostic) {
    super();
    this.told = told;
  }
  override eq(other: Sentence): boolean {
    return other.told.message === this.told.message && other.told.advice === this.told.advice;
  }
  override toDOM(): HTMLElement {
    const box = document.createElement('div');
    box.className = `cm-sentence cm-sentence-${this.told.severity}`;
    const message = document.createElement('b');
    message.textContent = this.told.message;
    const {advice, within} = this.told;
    box.append(message, ` ${advice}${within === undefined ? '' : ` (${within})`}`);
    return box;
  }
}

const sentences = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, change) {
    const told = change.effects.find(effect => effect.is(tellSentences));
    return told?.is(tellSentences) === true ? sentencesOf(told.value, change.state.doc) : shown.map(change.changes);
  },
  provide: field => EditorView.decorations.from(field),
});

function sentencesOf(found: readonly SourceDiagnostic[], text: Text): DecorationSet {
  return Decoration.set(
    found
      .slice(0, MOST_SENTENCES)
      .map(told => Decoration.widget({widget: new Sentence(told), block: true, side: 1}).range(lineOf(told, text).to)),
    true,
  );
}

function lineOf({line}: SourceDiagnostic, text: Text): {readonly from: number; readonly to: number} {
  return text.line(Math.min(Math.max(1, line), text.lines));
}

/** The place of a diagnostic in the text, at least a character where the line has one. */
export function placeOf(told: SourceDiagnostic, text: Text): {readonly from: number; readonly to: number} {
  const line = lineOf(told, text);
  const from = Math.min(line.from + Math.max(0, told.column - 1), line.to);
  return {from, to: Math.min(from + told.length, line.to)};
}

/** Shows what was found, in place of what is shown. */
export function showDiagnostics(view: EditorView, found: readonly SourceDiagnostic[]): void {
  const text = view.state.doc;
  const underlined = found.map((told): Diagnostic => {
    const {severity, message, advice} = told;
    return {...placeOf(told, text), severity, message: `${message} ${advice}`, source: 'assembler'};
  });
  const {head} = view.state.selection.main;
  // Sentences make room between lines: the line that is being written must not be pushed out of sight.
  const keep = isInSight(view, head) ? [EditorView.scrollIntoView(head)] : [];
  view.dispatch(setDiagnostics(view.state, underlined), {effects: [tellSentences.of(found), ...keep]});
}

function isInSight(view: EditorView, position: number): boolean {
  const place = view.coordsAtPos(position);
  const {top, bottom} = view.scrollDOM.getBoundingClientRect();
  return view.hasFocus && place !== null && place.top >= top && place.bottom <= bottom;
}

export const diagnosticSentences: Extension = sentences;
